// A block of IP addresses, the form of an entry of `trusted_proxies`.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "proxy/base/result.h"

namespace idem {

/// Holds an IPv4 block as its IPv4-mapped IPv6 block (RFC 4291, section 2.5.5.2), so both spellings
/// of an address match.
class Cidr {
 public:
  /// Accepts "10.0.0.0/8", "2001:db8::/32", or a single address. Returns kInvalid with the reason;
  /// bits set below the prefix are an error and are not masked.
  static Result<Cidr> Parse(std::string_view text);

  /// Returns false if `address` is not an IP address, for example "unix".
  [[nodiscard]] bool Contains(std::string_view address) const;
  bool operator==(const Cidr&) const = default;

 private:
  std::array<std::uint8_t, 16> network_{};
  unsigned bits_ = 128;  // prefix length, 0 to 128
};

}  // namespace idem
