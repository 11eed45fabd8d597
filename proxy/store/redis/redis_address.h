// Address and credentials of a Redis server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/event/address.h"

namespace idem::store {

struct RedisAddress {
  event::Endpoint endpoint;                  // unused with Sentinel
  std::vector<event::Endpoint> sentinels{};  // empty: no Sentinel
  std::string master{};                      // its name in Sentinel
  std::string user;                          // "": the server's default user
  std::string password;                      // "": no AUTH is sent
  std::uint32_t database = 0;
  bool tls =
      false;  // the certificate must name the endpoint's host; the system's authorities are trusted

  /// Returns the address for logs, without the password: "127.0.0.1:6379", "unix:/run/redis.sock",
  /// "mymaster (sentinels h1:26379, h2:26379)".
  [[nodiscard]] std::string ToText() const;
};

/// Reads one of
///
///   redis://[[user]:password@]host[:port][/db]
///   rediss://...                                   the same with TLS
///   unix://[[user]:password@]/path[?db=N]
///   redis+sentinel://[[user]:password@]host[:port][,host[:port]...]/master[/db]
///
/// User and password belong to the Redis servers, not to Sentinel; both may be percent-encoded. No
/// error repeats the URL, because it may hold a password.
[[nodiscard]] Result<RedisAddress> ParseRedisUrl(std::string_view url);

}  // namespace idem::store
