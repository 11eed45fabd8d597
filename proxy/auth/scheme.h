// The table of signature schemes (semantics.md, "Signature"). The configuration, the command
// `sign`, the log at the start and the verification all read it, so that a new scheme is described
// once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace idem::auth {

enum class Scheme : std::uint8_t {
  kNone,                   // every request passes, without a client
  kHmacBody,               // hex HMAC-SHA256 of the raw body
  kHmacTimestamp,          // not available yet
  kHttpMessageSignatures,  // RFC 9421; not available yet
  kClientCertificate,      // the certificate that the TLS listener verified
};

struct SchemeTraits {
  /// As written in the configuration and after WWW-Authenticate: "hmac-body".
  std::string_view name;
  /// False if the name is reserved and the configuration refuses it.
  bool available = false;
  /// Callers prove who they are by a TLS certificate, so a listener must ask for one.
  bool uses_client_certificate = false;
  /// What the log states at the start if a route uses the scheme. Empty if there is nothing to
  /// warn of.
  std::string_view coverage_notice = {};
};

/// Returns an empty name only for a value that is no enumerator. The switch has no default, so a
/// scheme without traits does not compile (-Werror=switch).
[[nodiscard]] constexpr SchemeTraits TraitsOf(Scheme scheme) {
  switch (scheme) {
    case Scheme::kNone:
      return {.name = "none", .available = true};
    case Scheme::kHmacBody:
      return {.name = "hmac-body",
              .available = true,
              .coverage_notice =
                  "hmac-body covers the body only: neither the key, the path nor the client's "
                  "name"};
    case Scheme::kHmacTimestamp:
      return {.name = "hmac-timestamp"};
    case Scheme::kHttpMessageSignatures:
      return {.name = "http-message-signatures"};
    case Scheme::kClientCertificate:
      return {.name = "client-certificate", .available = true, .uses_client_certificate = true};
  }
  return {};
}

[[nodiscard]] constexpr std::string_view SchemeName(Scheme scheme) { return TraitsOf(scheme).name; }

/// All schemes, in the order of the enumerators.
inline constexpr std::array kSchemes = {Scheme::kNone, Scheme::kHmacBody, Scheme::kHmacTimestamp,
                                        Scheme::kHttpMessageSignatures, Scheme::kClientCertificate};
static_assert(SchemeName(static_cast<Scheme>(kSchemes.size())).empty(), "kSchemes lacks a scheme");

/// Returns the scheme of that name, or nullopt.
[[nodiscard]] constexpr std::optional<Scheme> FindScheme(std::string_view name) {
  for (const Scheme scheme : kSchemes) {
    if (SchemeName(scheme) == name) return scheme;
  }
  return std::nullopt;
}

}  // namespace idem::auth
