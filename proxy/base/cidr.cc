#include "proxy/base/cidr.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <string>

namespace idem {

namespace {

using Address = std::array<std::uint8_t, 16>;
constexpr unsigned kMappedBits = 96;  // ::ffff:0:0/96

struct ParsedAddress {
  Address bytes{};
  bool ipv4 = false;
};

std::optional<ParsedAddress> ParseAddress(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return std::nullopt;
  std::memcpy(terminated.data(), text.data(), text.size());
  ParsedAddress address;
  if (inet_pton(AF_INET, terminated.data(), address.bytes.data() + 12) == 1) {
    address.bytes[10] = address.bytes[11] = 0xff;
    address.ipv4 = true;
    return address;
  }
  if (inet_pton(AF_INET6, terminated.data(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

// Returns the mask of byte `index` for a prefix of `bits`.
std::uint8_t MaskOf(std::size_t index, unsigned bits) {
  const auto before = static_cast<unsigned>(index) * 8;
  if (bits >= before + 8) return 0xff;
  if (bits <= before) return 0;
  return static_cast<std::uint8_t>(0xff << (8 - (bits - before)));
}

Error Invalid(const char* why) { return {ErrorCode::kInvalid, why}; }

}  // namespace

Result<Cidr> Cidr::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = ParseAddress(text.substr(0, slash));
  if (!address) return Invalid("is not a block of addresses such as 10.0.0.0/8 or 2001:db8::/32");
  const unsigned bits_max = address->ipv4 ? 32 : 128;
  unsigned bits = bits_max;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size() || bits > bits_max) {
      return address->ipv4 ? Invalid("has a prefix that is not a number from 0 to 32")
                           : Invalid("has a prefix that is not a number from 0 to 128");
    }
  }
  Cidr cidr;
  cidr.network_ = address->bytes;
  cidr.bits_ = address->ipv4 ? bits + kMappedBits : bits;
  for (std::size_t i = 0; i < cidr.network_.size(); ++i) {
    if ((cidr.network_[i] & ~MaskOf(i, cidr.bits_)) != 0) {
      return Invalid("has address bits beyond its prefix");
    }
  }
  return cidr;
}

bool Cidr::Contains(std::string_view address) const {
  const auto parsed = ParseAddress(address);
  if (!parsed) return false;
  for (std::size_t i = 0; i < network_.size(); ++i) {
    if ((parsed->bytes[i] & MaskOf(i, bits_)) != network_[i]) return false;
  }
  return true;
}

}  // namespace idem
