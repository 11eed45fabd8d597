// A block of IP addresses, as `trusted_proxies` names them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "proxy/base/result.h"

namespace idem {

/// An IPv4 block is kept as the IPv4-mapped IPv6 block it stands for (RFC 4291, section 2.5.5.2),
/// so that both spellings of an address are in it.
class Cidr {
 public:
  /// "10.0.0.0/8", "2001:db8::/32", or one address alone. An error says what is wrong: bits below
  /// the prefix that are set are a mistake, not rounded.
  static Result<Cidr> Parse(std::string_view text);

  /// False for what is no IP address ("unix").
  [[nodiscard]] bool Contains(std::string_view address) const;
  bool operator==(const Cidr&) const = default;

 private:
  std::array<std::uint8_t, 16> network_{};
  unsigned bits_ = 128;  // of the 16 bytes
};

}  // namespace idem
