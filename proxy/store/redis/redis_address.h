// Where a Redis is, and as whom it is asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/event/address.h"

namespace idem::store {

struct RedisAddress {
  event::Endpoint endpoint;                  // not where sentinels are asked
  std::vector<event::Endpoint> sentinels{};  // who know where the master is; or none
  std::string master{};                      // by the name that they know it by
  std::string user;                          // "": the server's default user
  std::string password;                      // "": none is sent
  std::uint32_t database = 0;
  bool tls = false;  // with a certificate for the endpoint's host, by an authority of the system

  /// For logs: "127.0.0.1:6379", "unix:/run/redis.sock", "mymaster (sentinels h1:26379, h2:26379)".
  /// Never the password.
  [[nodiscard]] std::string ToText() const;
};

/// redis://[[user]:password@]host[:port][/db], the same with rediss:// for TLS,
/// unix://[[user]:password@]/path[?db=N] and
/// redis+sentinel://[[user]:password@]host[:port][,host[:port]...]/master[/db], where user and
/// password are those of the Redis servers; both may be percent-encoded. No error repeats the URL,
/// because of the password in it.
[[nodiscard]] Result<RedisAddress> ParseRedisUrl(std::string_view url);

}  // namespace idem::store
