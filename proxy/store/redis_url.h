// Where a Redis is, and as whom it is asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/event/address.h"

namespace idem::store {

struct RedisAddress {
  event::Endpoint endpoint;
  std::string user;      // "": the server's default user
  std::string password;  // "": none is sent
  std::uint32_t database = 0;

  /// For logs: "127.0.0.1:6379", "unix:/run/redis.sock". Never the password.
  [[nodiscard]] std::string ToText() const { return endpoint.ToText(); }
};

/// redis://[[user]:password@]host[:port][/db] and unix://[[user]:password@]/path[?db=N]; user and
/// password may be percent-encoded. What is not supported yet (TLS, Sentinel) is kInvalid and says
/// so. No error repeats the URL, because of the password in it.
[[nodiscard]] Result<RedisAddress> ParseRedisUrl(std::string_view url);

}  // namespace idem::store
