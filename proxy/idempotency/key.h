// The Idempotency-Key field and the name of its record in the store (semantics.md, "The key").
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
  std::string_view reason;  // for the problem's detail: the fault, without the key
};
using KeyResult = std::variant<std::string, KeyMissing, KeyInvalid>;

/// Reads the key from the field named `header`. It accepts the bare form and the structured-field
/// string of the IETF draft (draft-ietf-httpapi-idempotency-key-header, RFC 9651 section 3.3.3).
/// Both spellings give the same key, unquoted.
[[nodiscard]] KeyResult ReadKey(const http::Fields& fields, std::string_view header);

/// Returns true if ReadKey() reads the key back from its bare form. It does not if the key begins with
/// a quote or holds a comma.
[[nodiscard]] bool HasBareForm(std::string_view key);

/// Returns the key as a string of RFC 9651, section 3.3.3, from which ReadKey() reads it back.
[[nodiscard]] std::string QuotedForm(std::string_view key);

struct ScopePart {
  std::string_view name;   // "client", "route", or the field's name in lower case
  std::string_view value;  // "" if the request has no such field
};

/// Returns the name of the record of `key` below the store's prefix: "client=shop;key-001", or
/// "key-001" without parts. Each part is `name=value;`, then follows the key. `=`, `;` and `%` are
/// percent-encoded everywhere. Scope values also encode the bytes that a key may not hold:
/// controls, space, and bytes above 0x7e.
[[nodiscard]] std::string RecordKey(std::span<const ScopePart> scope, std::string_view key);

/// The prefix of record keys on routes in `mode: observe`. No RecordKey() begins with it, because
/// the text before its first `;` is a part and has a `=`.
inline constexpr std::string_view kObservedPrefix = "observe;";

/// Returns the first 16 hex digits of SHA-256 of RecordKey(). The log shows them instead of the
/// key.
[[nodiscard]] std::string KeyHash(std::string_view record_key);

}  // namespace idem::idempotency
