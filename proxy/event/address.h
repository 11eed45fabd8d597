// The address of a listener: an IP address with a port, or the path of a Unix socket.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace idem::event {

/// "127.0.0.1:8080", "[::1]:8080" or "unix:/run/idemproxy.sock". To connect, it may also be
/// "localhost:9000", whose name is resolved first.
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

  /// Takes an IP literal or a Unix path. A name is kInvalid.
  static Result<SocketAddress> FromLiteral(const Endpoint& endpoint);
  /// Returns "192.0.2.1" (also for an IPv4-mapped IPv6 address), "2001:db8::1" or "unix".
  [[nodiscard]] std::string host_text() const;
  /// Returns the address with its port: "192.0.2.1:80", "[::1]:80", "unix:/path".
  [[nodiscard]] std::string ToText() const;
};

}  // namespace idem::event
