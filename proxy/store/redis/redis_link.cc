#include "proxy/store/redis/redis_link.h"

#include <utility>

#include "proxy/base/invariant.h"
#include "proxy/base/log.h"

namespace idem::store {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAttemptTimeout(2000);  // look-up, connect and greeting, for each address
constexpr milliseconds kSentinelPause(2000);   // between two looks at who is the master

}  // namespace

RedisLink::RedisLink(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                     RedisAddress address, Options options, RedisLinkEvents& events)
    : loop_(loop),
      resolver_(resolver),
      address_(std::move(address)),
      options_(options),
      events_(events),
      where_("Redis at " + address_.ToText()),
      unavailable_reason_(Away("is not connected yet")),
      reconnection_(random, "redis_unavailable", options.is_reporter),
      endpoint_(address_.endpoint),
      sentinels_(loop, resolver, address_) {}

void RedisLink::Start() {
  INVARIANT(state_ == State::kIdle);
  Find();
}

void RedisLink::Find() {
  state_ = State::kResolving;
  if (address_.sentinels.empty()) return Resolve();
  resolving_ = sentinels_.Find([this](Result<event::Endpoint> found) {
    if (!found) return Lose(Away(found.error().detail));
    endpoint_ = std::move(*found);
    Resolve();
  });
}

void RedisLink::Resolve() {
  timer_ = loop_.After(kAttemptTimeout, [this] { Lose(Away("has a name that is not found")); });
  resolving_ = resolver_.Resolve(loop_, endpoint_, [this](event::Resolver::Answer answer) {
    if (!answer) return Lose(Away("cannot be reached: " + answer.error().detail));
    addresses_ = std::move(*answer);
    next_address_ = 0;
    ConnectToNext();
  });
}

void RedisLink::ConnectToNext() {
  state_ = State::kConnecting;
  timer_ = loop_.After(kAttemptTimeout, [this] { Lose(Away("does not answer")); });
  if (const Status made = MakeTls(); !made) return Lose(Away(made.error().detail));
  const event::SocketAddress& to = addresses_[next_address_++];
  const event::Connection::Options options;
  connection_ = tls_ ? event::Connection::ConnectTls(loop_, to, *tls_, endpoint_.host,
                                                     kAttemptTimeout, *this, options)
                     : event::Connection::Connect(loop_, to, kAttemptTimeout, *this, options);
}

Status RedisLink::MakeTls() {
  if (!address_.tls || tls_) return Ok();
  auto made = event::TlsContext::ForClient({});
  if (!made) return std::move(made).error();
  tls_ = std::move(*made);
  return Ok();
}

void RedisLink::OnConnected() {
  state_ = State::kGreeting;
  reader_.emplace();
  greeting_.emplace(address_, options_.require_durable);
  connection_->Write(greeting_->Commands());
}

void RedisLink::OnData() {
  const std::string_view received = connection_->received();
  reader_->Feed(received);
  connection_->Consume(received.size());
  TakeReplies();
}

// Replies may be answered by new questions, but the connection goes only in Lose(), which ends
// this.
void RedisLink::TakeReplies() {
  while (connection_ != nullptr) {
    Result<RedisReply> reply = reader_->Next();
    if (!reply) return Lose(Away(reply.error().detail));
    if (!*reply) return;
    if (state_ == State::kGreeting) {
      TakeGreeting(reply->value());
    } else {
      events_.OnLinkReply(std::move(*reply));
    }
  }
}

void RedisLink::TakeGreeting(RedisValue reply) {
  std::optional<Status> ended = greeting_->Take(reply);
  if (!ended) return;
  if (!*ended) return Lose(std::move(*ended).error());
  BeReady();
}

void RedisLink::BeReady() {
  state_ = State::kReady;
  timer_ = {};
  reconnection_.Succeed();
  names_ = greeting_->names();
  const RedisServerSettings facts = greeting_->facts();
  greeting_.reset();
  if (options_.is_reporter) {
    log::Write(log::Level::kInfo, "redis_connected",
               {{"address", endpoint_.ToText()}, {"version", facts.version}});
    for (const std::string& reason : DurabilityRisks(facts)) {
      log::Write(log::Level::kWarn, "redis_may_forget",
                 {{"address", address_.ToText()}, {"detail", reason}});
    }
  }
  if (!address_.sentinels.empty()) WatchMaster();
  events_.OnLinkReady();
}

// A master that the others gave up may still be reached from here, and would take claims that are
// lost when it comes back as a replica. No answer is no reason to leave it.
void RedisLink::WatchMaster() {
  timer_ = loop_.After(kSentinelPause, [this] {
    resolving_ = sentinels_.Find([this](const Result<event::Endpoint>& found) {
      if (found && *found != endpoint_) Drop(Away("is elsewhere now, the sentinels say"));
      WatchMaster();
    });
  });
}

void RedisLink::OnEnd() { Lose(Away("closed the connection")); }

void RedisLink::OnFailure(const Error& error) {
  if (state_ == State::kConnecting && next_address_ < addresses_.size()) return ConnectToNext();
  Lose(Away("cannot be reached: " + error.detail));
}

void RedisLink::Write(std::string_view a, std::string_view b) {
  INVARIANT(ready());
  connection_->Write(a, b);
}

std::size_t RedisLink::unsent_bytes() const {
  return connection_ != nullptr ? connection_->unsent_bytes() : 0;
}

void RedisLink::Drop(Error why) {
  if (dropping_.open()) return;
  dropping_ = loop_.After(Duration::zero(), [this, error = std::move(why)]() mutable {
    if (ready()) Lose(std::move(error));
  });
}

void RedisLink::Lose(Error why) {
  state_ = State::kPausing;
  resolving_ = {};
  dropping_ = {};
  greeting_.reset();
  if (connection_ != nullptr) connection_->Abort();
  connection_.reset();
  timer_ = loop_.After(reconnection_.NextPause(), [this] { Find(); });
  unavailable_reason_ = std::move(why);
  reconnection_.Tell(unavailable_reason_);
  events_.OnLinkLost(unavailable_reason_);
}

Error RedisLink::Away(std::string_view what) const {
  return {ErrorCode::kUnavailable, where_ + " " + std::string(what)};
}

}  // namespace idem::store
