// What makes two requests the same request (semantics.md, "Words").
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

/// How a request is fingerprinted. Its id is kept in the record, so that a later configuration can
/// still compare by it.
struct Recipe {
  BodyMode body = BodyMode::kRaw;
  std::vector<std::string> headers = {"content-type"};  // lower case, in the configuration's order
  std::vector<std::string> ignore{};  // JSON pointers left out (kJson only); none is empty
  /// What libraries spell otherwise on each try counts by what it means: a multipart body by its
  /// parts and without its boundary, a compressed one decoded.
  bool decode = false;

  /// "2:raw:content-type:" - algorithm (2 where `decode`, else 1), body mode, fields, pointers;
  /// comma lists, percent-encoded, without blanks.
  [[nodiscard]] std::string ToId() const;
  /// nullopt: an id of a later version.
  static std::optional<Recipe> FromId(std::string_view id);
  bool operator==(const Recipe&) const = default;
};

struct FingerprintInput {
  std::string_view route;
  std::string_view client;  // "" where the route has none
  std::string_view method;
  std::string_view target;               // path and query as received
  const http::Fields* fields = nullptr;  // never null when it is computed
  std::string_view body;
};

/// SHA-256 over the parts, each with its length before it, so that no two inputs run together. With
/// BodyMode::kJson a body that is not JSON or has a member twice counts as it is, and so does one
/// with a Content-Encoding that is not decoded.
/// `digests`, where it is there, becomes PartDigests() of the same.
[[nodiscard]] Fingerprint ComputeFingerprint(const Recipe& recipe, const FingerprintInput& input,
                                             std::string* digests = nullptr);

}  // namespace idem::idempotency
