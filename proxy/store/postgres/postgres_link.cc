#include "proxy/store/postgres/postgres_link.h"

#include <algorithm>
#include <utility>

#include "proxy/base/invariant.h"
#include "proxy/base/log.h"
#include "proxy/store/postgres/schema.h"

namespace idem::store {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAttemptTimeout(2000);  // look-up, connect and log-in

// The server ends by itself what nobody waits for any more, so that it holds no row for longer. A
// plan that was made while a table was small is kept by the functions when it has grown: it must
// not read the whole of it.
std::string SetupSql(Duration statement_timeout) {
  const auto limit = std::chrono::duration_cast<milliseconds>(statement_timeout).count();
  return "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;"
         "SET client_min_messages = warning;"
         "SET enable_seqscan = off;"
         "SET statement_timeout = " +
         std::to_string(std::max<std::int64_t>(1, limit));
}

libpq::ConnectionOptions OptionsOf(Duration statement_timeout) {
  libpq::ConnectionOptions options;
  options.connect_timeout = kAttemptTimeout;
  options.statement_timeout = statement_timeout;
  options.setup = SetupSql(statement_timeout);
  options.application_name = "idemproxy";
  return options;
}

}  // namespace

PostgresLink::PostgresLink(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                           libpq::Url url, const Options& options, PostgresLinkEvents& events)
    : loop_(loop),
      resolver_(resolver),
      url_(std::move(url)),
      options_(options),
      events_(events),
      where_("PostgreSQL at " + url_.ToText()),
      connection_options_(OptionsOf(options.statement_timeout)),
      unavailable_reason_{ErrorCode::kUnavailable, where_ + " is not connected yet"},
      reconnection_(random, "postgres_unavailable", options.is_reporter) {}

void PostgresLink::Start() {
  INVARIANT(state_ == State::kStopped);
  Connect();
}

void PostgresLink::Connect() {
  state_ = State::kConnecting;
  refusal_.reset();
  libpq::ConnectionEvents& events = *this;
  connection_ =
      std::make_unique<libpq::Connection>(loop_, resolver_, url_, connection_options_, events);
}

// Each step of the set-up ends here, its answer told by `refusal_`.
void PostgresLink::OnIdle() {
  if (refusal_) return Lose(*std::exchange(refusal_, std::nullopt));
  switch (state_) {
    case State::kConnecting:
      return AskFacts();
    case State::kAsking:
      return Prepare();
    case State::kPreparing:
      return BeReady();
    case State::kReady:
      return events_.OnLinkIdle();
    case State::kStopped:
    case State::kPausing:
      INVARIANT(false);
  }
}

void PostgresLink::AskFacts() {
  state_ = State::kAsking;
  connection_->Run(PostgresFactsStatement(), [this](Result<libpq::Rows> rows) {
    if (!rows) {
      refusal_ = Error{rows.error().code, where_ + ": " + rows.error().detail};
      return;
    }
    facts_ = ReadPostgresFacts(*rows);
    refusal_ = RefusalReason(facts_, where_, options_.require_durable);
  });
}

void PostgresLink::Prepare() {
  state_ = State::kPreparing;
  connection_->Run({.sql = PostgresSchemaSql(), .parameters = {}},
                   [this](const Result<libpq::Rows>& rows) {
                     if (rows) return;
                     refusal_ = Error{rows.error().code, where_ + ": " + rows.error().detail};
                   });
}

void PostgresLink::BeReady() {
  state_ = State::kReady;
  reconnection_.Succeed();
  if (options_.is_reporter) {
    log::Write(log::Level::kInfo, "postgres_connected",
               {{"address", url_.ToText()}, {"version", facts_.version}});
    for (const std::string& reason : DurabilityRisks(facts_)) {
      log::Write(log::Level::kWarn, "postgres_may_forget",
                 {{"address", url_.ToText()}, {"detail", reason}});
    }
  }
  events_.OnLinkIdle();
}

void PostgresLink::OnDead(const Error& error) {
  if (state_ == State::kPausing) return;  // refused, and cut before it was gone
  Lose({error.code, where_ + ": " + error.detail, error.delivery});
}

void PostgresLink::Drop(Error why) {
  if (dropping_.open()) return;
  dropping_ = loop_.After(Duration::zero(), [this, error = std::move(why)]() mutable {
    if (!ready()) return;
    connection_.reset();  // at once, so that what it runs is answered by nobody else any more
    Lose(std::move(error));
  });
}

void PostgresLink::Lose(Error why) {
  state_ = State::kPausing;
  dropping_ = {};
  if (connection_) loop_.DeleteLater(std::move(connection_));
  timer_ = loop_.After(reconnection_.NextPause(), [this] { Connect(); });
  unavailable_reason_ = std::move(why);
  reconnection_.Tell(unavailable_reason_);
  events_.OnLinkLost(unavailable_reason_);
}

}  // namespace idem::store
