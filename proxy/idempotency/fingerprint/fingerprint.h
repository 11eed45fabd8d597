// Fingerprints: two requests with the same fingerprint are the same request (semantics.md,
// "Words").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/digest.h"
#include "proxy/http/fields.h"

namespace idem::idempotency {

using Fingerprint = Sha256Digest;

enum class BodyMode : std::uint8_t { kRaw, kJson };

/// The method of fingerprinting a request. Its id is kept in the record, so that a later
/// configuration can still compare by it.
struct Recipe {
  BodyMode body = BodyMode::kRaw;
  std::vector<std::string> headers = {"content-type"};  // lower case, in the configuration's order
  std::vector<std::string> ignore{};  // JSON pointers to leave out (kJson only); none is empty
  /// True if a multipart body counts by its parts, without its boundary, and a compressed one
  /// decoded: libraries spell both differently on each try.
  bool decode = false;

  /// Returns "2:raw:content-type:": algorithm (2 with `decode`, otherwise 1), body mode, fields and
  /// pointers. The last two are comma-separated, percent-encoded lists without blanks.
  [[nodiscard]] std::string ToId() const;
  /// Returns nullopt for the id of a later version.
  static std::optional<Recipe> FromId(std::string_view id);
  bool operator==(const Recipe&) const = default;
};

struct FingerprintInput {
  std::string_view route;
  std::string_view client;  // "" if the route has no clients
  std::string_view method;
  std::string_view target;               // path and query as received
  const http::Fields* fields = nullptr;  // must not be null in ComputeFingerprint()
  std::string_view body;
};

/// Returns SHA-256 over the parts. The length of each part precedes it, so that different parts
/// cannot form the same input. With BodyMode::kJson the raw body counts if it is not JSON, repeats
/// a member, or came with a Content-Encoding that is not decoded. If `digests` is not null, it
/// becomes PartDigests() of the same parts.
[[nodiscard]] Fingerprint ComputeFingerprint(const Recipe& recipe, const FingerprintInput& input,
                                             std::string* digests = nullptr);

}  // namespace idem::idempotency
