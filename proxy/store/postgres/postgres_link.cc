#include "proxy/store/postgres/postgres_link.h"

#include <algorithm>
#include <utility>

#include "proxy/store/postgres/schema.h"

namespace idem::store {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAttemptTimeout(2000);  // of look-up, connect and log-in together

// With statement_timeout the server ends a statement that nobody waits for, so that it keeps no row
// locked. The functions keep plans that were made while a table was small; without enable_seqscan
// such a plan does not read the whole of a table that has grown.
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
    : RemoteLink(loop, random,
                 {.engine = "PostgreSQL",
                  .address = url.ToText(),
                  .events = {.connected = "postgres_connected",
                             .may_forget = "postgres_may_forget",
                             .unavailable = "postgres_unavailable"},
                  .timeout = options.timeout,
                  .is_reporter = options.is_reporter},
                 events),
      event_loop_(loop),
      resolver_(resolver),
      url_(std::move(url)),
      require_durable_(options.require_durable),
      events_(events),
      connection_options_(OptionsOf(options.statement_timeout)) {}

void PostgresLink::Connect() {
  step_ = Step::kLogIn;
  refusal_.reset();
  libpq::ConnectionEvents& events = *this;
  connection_ = std::make_unique<libpq::Connection>(event_loop_, resolver_, url_,
                                                    connection_options_, events);
}

void PostgresLink::OnIdle() {
  if (refusal_) return Lose(*std::exchange(refusal_, std::nullopt));
  if (ready()) return events_.OnLinkIdle();
  switch (step_) {
    case Step::kLogIn:
      return AskSettings();
    case Step::kSettings:
      return MakeTables();
    case Step::kTables:
      return BecomeReady(url_.ToText(), settings_.version, DurabilityRisks(settings_));
  }
}

void PostgresLink::AskSettings() {
  step_ = Step::kSettings;
  connection_->Run(PostgresSettingsStatement(), [this](Result<libpq::Rows> rows) {
    if (!rows) return Refuse(rows.error());
    settings_ = ReadPostgresSettings(*rows);
    refusal_ = RefusalReason(settings_, where(), require_durable_);
  });
}

void PostgresLink::MakeTables() {
  step_ = Step::kTables;
  connection_->Run({.sql = PostgresSchemaSql(), .parameters = {}},
                   [this](const Result<libpq::Rows>& rows) {
                     if (!rows) Refuse(rows.error());
                   });
}

void PostgresLink::Refuse(const Error& error) {
  refusal_ = Error{error.code, where() + ": " + error.detail};
}

void PostgresLink::OnDead(const Error& error) {
  if (!connection_) return;  // it was refused, and died before it was deleted
  Lose({error.code, where() + ": " + error.detail, error.delivery});
}

// Outside its callbacks the connection is deleted at once, so that the statement that it runs is
// not answered by it any more.
void PostgresLink::Disconnect(bool inside_callback) {
  if (!connection_) return;
  if (!inside_callback) return connection_.reset();
  event_loop_.DeleteLater(std::move(connection_));
}

}  // namespace idem::store
