// The Idempotency-Key field and where its record lies (semantics.md, "The key").
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/http/fields.h"

namespace idem::idempotency {

inline constexpr std::size_t kKeyBytesMax = 255;

struct KeyMissing {};
struct KeyInvalid {
  std::string_view reason;  // for the problem's detail: what is wrong, without the key
};
using KeyResult = std::variant<std::string, KeyMissing, KeyInvalid>;

/// Reads the key from the field named `header`: the bare form or the structured-field string of the
/// IETF draft (draft-ietf-httpapi-idempotency-key-header, RFC 9651 section 3.3.3); both spellings
/// give the same key, unquoted.
[[nodiscard]] KeyResult ReadKey(const http::Fields& fields, std::string_view header);

struct ScopePart {
  std::string_view name;   // "client", "route", or the field's name in lower case
  std::string_view value;  // "" where the request has no such field
};

/// Where the record of `key` lies below the store's prefix: each part as `name=value;`, then the
/// key; `=`, `;` and `%` percent-encoded in all of them (in scope values also whatever a key may
/// not hold: controls, space, and bytes above 0x7e). "client=shop;key-001", or "key-001" without
/// parts.
[[nodiscard]] std::string RecordKey(std::span<const ScopePart> scope, std::string_view key);

/// Before the RecordKey() of what is only observed. No RecordKey() begins so: up to its first `;`
/// it is a part, which has a `=`.
inline constexpr std::string_view kObservedPrefix = "observe;";

/// The first 16 hex digits of SHA-256 of RecordKey(): what the log shows instead of a key.
[[nodiscard]] std::string KeyHash(std::string_view record_key);

}  // namespace idem::idempotency
