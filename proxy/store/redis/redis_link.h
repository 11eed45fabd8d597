// The connection of a store to its Redis.
//
//   RemoteLink    connecting                                          ready
//                 find ─▶ resolve ─▶ connect ─▶ handshake ─▶
//                 (Sentinel)          │   ▲
//                                     └───┘ next address
//
// With Sentinel, the address is looked up before every attempt. While connected, the link asks
// Sentinel every two seconds and drops the connection if the server is no longer the master.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/base/random.h"
#include "proxy/event/connection.h"
#include "proxy/event/resolver.h"
#include "proxy/store/redis/redis_handshake.h"
#include "proxy/store/redis/sentinels.h"
#include "proxy/store/remote/remote_link.h"

namespace idem::store {

class RedisLinkEvents : public RemoteLinkEvents {
 public:
  /// One reply, in the order of the commands that were written since OnLinkReady().
  virtual void OnLinkReply(RedisReply reply) = 0;
};

class RedisLink final : public RemoteLink, private event::ConnectionEvents {
 public:
  struct Options {
    std::chrono::milliseconds timeout{500};  // of a question
    bool require_durable = false;
    bool is_reporter = true;  // logs; one link of a process is enough
  };

  RedisLink(event::EventLoop& loop, event::Resolver& resolver, Random& random, RedisAddress address,
            Options options, RedisLinkEvents& events);

  /// Returns the name of a script for EVALSHA; only while ready.
  [[nodiscard]] std::string_view name_of(RedisScript script) const {
    return names_[static_cast<std::size_t>(script)];
  }

  /// Writes `a` and `b`, one after the other; only while ready. A failure is reported by
  /// OnLinkLost().
  void Write(std::string_view a, std::string_view b = {});
  [[nodiscard]] std::size_t unsent_bytes() const;

 private:
  void OnConnected() override;
  void OnData() override;
  void OnEnd() override;
  void OnFailure(const Error& error) override;

  void Connect() override;
  void Disconnect(bool inside_callback) override;
  void Resolve();
  void ConnectToNext();
  [[nodiscard]] Status MakeTls();
  void TakeReplies();
  void TakeHandshakeReply(RedisValue reply);
  void WatchMaster();
  [[nodiscard]] Error Unavailable(std::string_view what) const;

  event::EventLoop& event_loop_;
  event::Resolver& resolver_;
  const RedisAddress address_;
  const bool require_durable_;
  RedisLinkEvents& events_;

  event::Endpoint endpoint_;  // with Sentinel: the master's
  std::vector<event::SocketAddress> addresses_;
  std::size_t next_address_ = 0;
  std::unique_ptr<event::TlsContext> tls_;  // null: no TLS; made once
  std::unique_ptr<event::Connection> connection_;
  std::optional<RedisReader> reader_;
  std::optional<RedisHandshake> handshake_;  // null: not connected, or ready
  RedisScriptNames names_;
  RedisSentinels sentinels_;
  Ticket resolving_;  // a look-up of names, or a question to Sentinel
  Ticket timer_;      // the limit of an attempt, or the next question to Sentinel
};

}  // namespace idem::store
