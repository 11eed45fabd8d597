// A multipart body by its parts (RFC 2046, section 5.1.1), for the fingerprint: a library that
// builds a form again draws another boundary.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace idem::idempotency {

struct MultipartType {
  std::string boundary;
  std::string rest;  // the value of Content-Type without the boundary parameter
};

/// nullopt: not the value of a multipart type with one boundary that could be.
[[nodiscard]] std::optional<MultipartType> ReadMultipartType(std::string_view content_type);

/// Appends each part, fields and content, with its length before it. False where `body` is not
/// exactly such parts: anything before the first delimiter or behind the last counts as it is.
[[nodiscard]] bool AppendParts(std::string_view boundary, std::string_view body, std::string& to);

}  // namespace idem::idempotency
