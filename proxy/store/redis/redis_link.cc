#include "proxy/store/redis/redis_link.h"

#include <utility>

#include "proxy/base/invariant.h"

namespace idem::store {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAttemptTimeout(2000);  // of the look-up, then of each address
constexpr milliseconds kSentinelPause(2000);   // between two questions to Sentinel

}  // namespace

RedisLink::RedisLink(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                     RedisAddress address, Options options, RedisLinkEvents& events)
    : RemoteLink(loop, random,
                 {.engine = "Redis",
                  .address = address.ToText(),
                  .events = {.connected = "redis_connected",
                             .may_forget = "redis_may_forget",
                             .unavailable = "redis_unavailable"},
                  .timeout = options.timeout,
                  .is_reporter = options.is_reporter},
                 events),
      event_loop_(loop),
      resolver_(resolver),
      address_(std::move(address)),
      require_durable_(options.require_durable),
      events_(events),
      endpoint_(address_.endpoint),
      sentinels_(loop, resolver, address_) {}

void RedisLink::Connect() {
  if (address_.sentinels.empty()) return Resolve();
  resolving_ = sentinels_.Find([this](Result<event::Endpoint> found) {
    if (!found) return Lose(Unavailable(found.error().detail));
    endpoint_ = std::move(*found);
    Resolve();
  });
}

void RedisLink::Resolve() {
  timer_ = event_loop_.After(kAttemptTimeout,
                             [this] { Lose(Unavailable("has a name that is not found")); });
  resolving_ = resolver_.Resolve(event_loop_, endpoint_, [this](event::Resolver::Answer answer) {
    if (!answer) return Lose(Unavailable("cannot be reached: " + answer.error().detail));
    addresses_ = std::move(*answer);
    next_address_ = 0;
    ConnectToNext();
  });
}

void RedisLink::ConnectToNext() {
  timer_ = event_loop_.After(kAttemptTimeout, [this] { Lose(Unavailable("does not answer")); });
  if (const Status made = MakeTls(); !made) return Lose(Unavailable(made.error().detail));
  const event::SocketAddress& to = addresses_[next_address_++];
  const event::Connection::Options options;
  connection_ = tls_ ? event::Connection::ConnectTls(event_loop_, to, *tls_, endpoint_.host,
                                                     kAttemptTimeout, *this, options)
                     : event::Connection::Connect(event_loop_, to, kAttemptTimeout, *this, options);
}

Status RedisLink::MakeTls() {
  if (!address_.tls || tls_) return Ok();
  auto made = event::TlsContext::ForClient({});
  if (!made) return std::move(made).error();
  tls_ = std::move(*made);
  return Ok();
}

void RedisLink::OnConnected() {
  reader_.emplace();
  handshake_.emplace(address_, require_durable_);
  connection_->Write(handshake_->Commands());
}

void RedisLink::OnData() {
  const std::string_view received = connection_->received();
  reader_->Feed(received);
  connection_->Consume(received.size());
  TakeReplies();
}

// A reply may cause new questions, but only Lose() ends the connection, and the loop with it.
void RedisLink::TakeReplies() {
  while (connection_ != nullptr) {
    Result<RedisReply> reply = reader_->Next();
    if (!reply) return Lose(Unavailable(reply.error().detail));
    if (!*reply) return;
    if (handshake_) {
      TakeHandshakeReply(reply->value());
    } else {
      events_.OnLinkReply(std::move(*reply));
    }
  }
}

void RedisLink::TakeHandshakeReply(RedisValue reply) {
  std::optional<Status> ended = handshake_->Take(reply);
  if (!ended) return;
  if (!*ended) return Lose(std::move(*ended).error());
  timer_ = {};
  names_ = handshake_->names();
  const RedisServerSettings settings = handshake_->settings();
  handshake_.reset();
  if (!address_.sentinels.empty()) WatchMaster();
  BecomeReady(endpoint_.ToText(), settings.version, DurabilityRisks(settings));
}

// A master that Sentinel replaced may still be reachable from here. It would accept claims that are
// lost when it returns as a replica. A Sentinel that does not answer changes nothing.
void RedisLink::WatchMaster() {
  timer_ = event_loop_.After(kSentinelPause, [this] {
    resolving_ = sentinels_.Find([this](const Result<event::Endpoint>& found) {
      if (found && *found != endpoint_) Drop(Unavailable("is elsewhere now, the sentinels say"));
      WatchMaster();
    });
  });
}

void RedisLink::OnEnd() { Lose(Unavailable("closed the connection")); }

void RedisLink::OnFailure(const Error& error) {
  const bool connecting = !ready() && !handshake_;
  if (connecting && next_address_ < addresses_.size()) return ConnectToNext();
  Lose(Unavailable("cannot be reached: " + error.detail));
}

void RedisLink::Write(std::string_view a, std::string_view b) {
  INVARIANT(ready());
  connection_->Write(a, b);
}

std::size_t RedisLink::unsent_bytes() const {
  return connection_ != nullptr ? connection_->unsent_bytes() : 0;
}

void RedisLink::Disconnect(bool /*inside_callback*/) {
  timer_ = {};
  resolving_ = {};
  handshake_.reset();
  if (connection_ != nullptr) connection_->Abort();
  connection_.reset();
}

Error RedisLink::Unavailable(std::string_view what) const {
  return Fail(ErrorCode::kUnavailable, what);
}

}  // namespace idem::store
