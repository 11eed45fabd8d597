// Asks Redis Sentinel for the address of the master.
//
//   Find() ─▶ resolve ─▶ connect ─▶ SENTINEL get-master-addr-by-name NAME ─▶ on_found
//               ▲                       │ unreachable, silent, name unknown
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

/// Runs one search at a time. The sentinel that answered is asked first the next time.
class RedisSentinels final : private event::ConnectionEvents {
 public:
  RedisSentinels(event::EventLoop& loop, event::Resolver& resolver, const RedisAddress& address)
      : loop_(loop), resolver_(resolver), address_(address) {}

  /// kUnavailable: none of them named a master. A new call withdraws the earlier search.
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
  std::size_t first_ = 0;  // the index that a search starts with
  std::size_t tried_ = 0;  // sentinels that gave no answer
  std::optional<Completion<Result<event::Endpoint>>> completion_;
  std::unique_ptr<event::Connection> connection_;
  std::optional<RedisReader> reader_;
  Ticket resolving_;
  Ticket timer_;
};

}  // namespace idem::store
