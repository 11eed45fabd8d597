// The one connection of a store to its Redis, kept up: whatever happens to it, the next is made.
//
//                 Start()
//                    │
//                    ▼  address found        connected           greeted
//              ┌─ resolving ────▶ connecting ────▶ greeting ────▶ ready
//              │      ▲               │ next address   │            │
//              │      └── pausing ◀───┴────────────────┴────────────┘
//              └───────────▲           refused, lost, out of step, Drop()
//
// Where sentinels are asked, the address comes of them each time; while it is ready they are asked
// again every two seconds, and a master that is none any more is left.
//
// The pause is that of reconnection.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/random.h"
#include "proxy/event/connection.h"
#include "proxy/event/resolver.h"
#include "proxy/store/redis/redis_handshake.h"
#include "proxy/store/redis/sentinels.h"
#include "proxy/store/remote/reconnect_backoff.h"

namespace idem::store {

/// What a link tells its owner, never from inside a call that the owner made.
class RedisLinkEvents {
 public:
  virtual ~RedisLinkEvents() = default;
  virtual void OnLinkReady() = 0;
  /// One reply, in the order of what was written since OnLinkReady().
  virtual void OnLinkReply(RedisReply reply) = 0;
  /// Not ready any more, or an attempt failed. What was written and not answered is not known.
  virtual void OnLinkLost(const Error& why) = 0;
};

class RedisLink final : private event::ConnectionEvents {
 public:
  struct Options {
    bool require_durable = false;
    bool is_reporter = true;  // logs; of a process's many links one is enough
  };

  RedisLink(event::EventLoop& loop, event::Resolver& resolver, Random& random, RedisAddress address,
            Options options, RedisLinkEvents& events);

  void Start();

  [[nodiscard]] bool ready() const { return state_ == State::kReady; }
  /// While it is not ready: why not.
  [[nodiscard]] const Error& unavailable_reason() const { return unavailable_reason_; }
  [[nodiscard]] const std::string& where() const { return where_; }
  /// The name of a script for EVALSHA, while ready.
  [[nodiscard]] std::string_view name_of(RedisScript script) const {
    return names_[static_cast<std::size_t>(script)];
  }

  /// While ready. What cannot be written any more is told by OnLinkLost().
  void Write(std::string_view a, std::string_view b = {});
  [[nodiscard]] std::size_t unsent_bytes() const;

  /// Gives the connection up, on a later turn, and makes a new one.
  void Drop(Error why);

 private:
  enum class State : std::uint8_t { kIdle, kResolving, kConnecting, kGreeting, kReady, kPausing };

  void OnConnected() override;
  void OnData() override;
  void OnEnd() override;
  void OnFailure(const Error& error) override;

  void Find();
  void Resolve();
  void WatchMaster();
  void ConnectToNext();
  [[nodiscard]] Status MakeTls();
  void TakeReplies();
  void TakeGreeting(RedisValue reply);
  void BeReady();
  void Lose(Error why);
  [[nodiscard]] Error Away(std::string_view what) const;

  event::EventLoop& loop_;
  event::Resolver& resolver_;
  const RedisAddress address_;
  const Options options_;
  RedisLinkEvents& events_;
  const std::string where_;  // "Redis at 127.0.0.1:6379"

  State state_ = State::kIdle;
  Error unavailable_reason_;
  ReconnectBackoff reconnection_;
  event::Endpoint endpoint_;  // where it is now
  std::vector<event::SocketAddress> addresses_;
  std::size_t next_address_ = 0;
  std::unique_ptr<event::TlsContext> tls_;  // where it is asked for; made once
  std::unique_ptr<event::Connection> connection_;
  std::optional<RedisReader> reader_;
  std::optional<RedisHandshake> greeting_;
  RedisScriptNames names_;
  RedisSentinels sentinels_;
  Ticket resolving_;  // or asking the sentinels
  Ticket timer_;      // the pause, or the attempt's end
  Ticket dropping_;   // a Drop() that is not yet done
};

}  // namespace idem::store
