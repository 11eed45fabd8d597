#include "proxy/event/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

namespace idem::event {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kUnixPathMax = sizeof(sockaddr_un::sun_path) - 1;

Error Invalid(std::string_view text, std::string_view why) {
  return Error{.code = ErrorCode::kInvalid,
               .detail = "'" + std::string(text) + "' is not an address: " + std::string(why)};
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
  return port;
}

bool IsIpv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool IsIpv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

/// Accepts host names as resolvers do: letters, digits, hyphens, underscores, and dots between
/// labels. A name whose last label is all digits is refused: it is a mistyped IPv4 address.
bool IsName(std::string_view host) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (host.empty() || host.size() > 253 || host.front() == '.' || host.front() == '-') return false;
  if (!std::ranges::all_of(host, allowed) || host.find("..") != std::string_view::npos)
    return false;
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return last.empty() || last.find_first_not_of("0123456789") != std::string_view::npos;
}

Result<Endpoint> ParseUnix(std::string_view text) {
  const std::string_view path = text.substr(kUnixPrefix.size());
  if (path.empty()) return Invalid(text, "a path must follow 'unix:'");
  if (path.find('\0') != std::string_view::npos) return Invalid(text, "the path holds a NUL");
  if (path.size() > kUnixPathMax) {
    return Invalid(text, "the path is longer than " + std::to_string(kUnixPathMax) + " bytes");
  }
  return Endpoint{.host = {}, .port = 0, .unix_path = std::string(path)};
}

}  // namespace

Result<Endpoint> Endpoint::Parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return ParseUnix(text);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return Invalid(text, "expected HOST:PORT, [IPV6]:PORT or unix:PATH");
  const auto port = ParsePort(text.substr(colon + 1));
  if (!port) return Invalid(text, "the port must be a number from 0 to 65535");

  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!IsIpv6(host)) return Invalid(text, "no IPv6 address between the brackets");
  } else if (host.find(':') != std::string::npos) {
    return Invalid(text, "an IPv6 address is written in brackets, [::1]:8080");
  } else if (!IsIpv4(host) && !IsName(host)) {
    return Invalid(text, "the host is neither an IP address nor a name");
  }
  return Endpoint{.host = std::move(host), .port = *port, .unix_path = {}};
}

std::string Endpoint::ToText() const {
  if (!unix_path.empty()) return std::string(kUnixPrefix) + unix_path;
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<SocketAddress> SocketAddress::FromLiteral(const Endpoint& endpoint) {
  SocketAddress address;
  if (!endpoint.unix_path.empty()) {
    auto* to = reinterpret_cast<sockaddr_un*>(&address.storage);
    if (endpoint.unix_path.size() > kUnixPathMax) return Invalid(endpoint.ToText(), "too long");
    to->sun_family = AF_UNIX;
    std::memcpy(to->sun_path, endpoint.unix_path.c_str(), endpoint.unix_path.size() + 1);
    address.size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + endpoint.unix_path.size() + 1);
    return address;
  }
  auto* ipv4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (inet_pton(AF_INET, endpoint.host.c_str(), &ipv4->sin_addr) == 1) {
    ipv4->sin_family = AF_INET;
    ipv4->sin_port = htons(endpoint.port);
    address.size = sizeof *ipv4;
    return address;
  }
  address.storage = {};
  auto* ipv6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET6, endpoint.host.c_str(), &ipv6->sin6_addr) == 1) {
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(endpoint.port);
    address.size = sizeof *ipv6;
    return address;
  }
  return Invalid(endpoint.ToText(), "a name, not an IP address");
}

std::string SocketAddress::host_text() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(&storage);
    return inet_ntop(AF_INET, &ipv4->sin_addr, text, sizeof text);
  }
  if (storage.ss_family == AF_INET6) {
    const auto* ipv6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    if (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr)) {
      return inet_ntop(AF_INET, &ipv6->sin6_addr.s6_addr[12], text, sizeof text);
    }
    return inet_ntop(AF_INET6, &ipv6->sin6_addr, text, sizeof text);
  }
  return "unix";
}

std::string SocketAddress::ToText() const {
  if (storage.ss_family == AF_INET || storage.ss_family == AF_INET6) {
    // The port has the same offset in both structures.
    const std::uint16_t port = ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
    return Endpoint{.host = host_text(), .port = port, .unix_path = {}}.ToText();
  }
  const auto* local = reinterpret_cast<const sockaddr_un*>(&storage);
  const bool named = size > offsetof(sockaddr_un, sun_path) && local->sun_path[0] != '\0';
  return named ? std::string(kUnixPrefix) + local->sun_path : std::string("unix");
}

}  // namespace idem::event
