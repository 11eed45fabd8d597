// Where something listens: an IP address with a port, or a Unix socket's path.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace idem::event {

/// "127.0.0.1:8080", "[::1]:8080", "unix:/run/idemproxy.sock"; for peers of a listener also
/// "localhost:9000" (a name, to be resolved).
struct Endpoint {
  std::string host;  // IP literal without brackets, a name, or "" for a Unix socket
  std::uint16_t port = 0;
  std::string unix_path;

  static Result<Endpoint> Parse(std::string_view text);
  [[nodiscard]] std::string ToText() const;
  bool operator==(const Endpoint&) const = default;
};

/// A socket address ready for connect() or bind().
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  /// From an IP literal or Unix path; kInvalid for a name.
  static Result<SocketAddress> FromLiteral(const Endpoint& endpoint);
  /// "192.0.2.1" (IPv4-mapped IPv6 addresses as IPv4), "2001:db8::1" or "unix".
  [[nodiscard]] std::string host_text() const;
  /// With the port: "192.0.2.1:80", "[::1]:80", "unix:/path".
  [[nodiscard]] std::string ToText() const;
};

}  // namespace idem::event
