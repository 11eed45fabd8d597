// Where the master is, by those who decide it: Redis Sentinel.
//
//   Find() ─▶ resolve ─▶ connect ─▶ SENTINEL get-master-addr-by-name NAME ─▶ on_found
//               ▲                       │ away, silent, does not know the name
//               └────── the next one ◀──┘
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/event/connection.h"
#include "proxy/event/resolver.h"
#include "proxy/store/redis/redis_address.h"
#include "proxy/store/redis/resp.h"

namespace idem::store {

/// One search at a time. Whoever answers first is asked first the next time.
class RedisSentinels final : private event::ConnectionEvents {
 public:
  RedisSentinels(event::EventLoop& loop, event::Resolver& resolver, const RedisAddress& address)
      : loop_(loop), resolver_(resolver), address_(address) {}

  /// kUnavailable where none of them tells. Another call withdraws the search before.
  [[nodiscard]] Ticket Find(Function<void(Result<event::Endpoint>)> on_found);

 private:
  void OnConnected() override;
  void OnData() override;
  void OnEnd() override { AskNext("closed the connection"); }
  void OnFailure(const Error& error) override { AskNext(error.detail); }

  void AskNext(std::string_view why);
  void Ask();
  void TakeReply(RedisValue reply);
  void Answer(Result<event::Endpoint> answer);

  event::EventLoop& loop_;
  event::Resolver& resolver_;
  const RedisAddress& address_;
  std::size_t first_ = 0;  // who is asked first
  std::size_t tried_ = 0;  // so many gave no answer
  std::optional<Completion<Result<event::Endpoint>>> completion_;
  std::unique_ptr<event::Connection> connection_;
  std::optional<RedisReader> reader_;
  Ticket resolving_;
  Ticket timer_;
};

}  // namespace idem::store
