// The Idempotency-Key field (draft-ietf-httpapi-idempotency-key-header), read independently of the
// proxy, whose work this service is there to check.
#pragma once

#include <optional>
#include <string>

#include "proxy/base/result.h"
#include "proxy/http/fields.h"

namespace idem::upstream {

/// Returns the key without quotes, or nullopt if there is no such field. Both spellings give the
/// same key: `k-1`, and the string `"k-1"` of RFC 9651. kInvalid says what is wrong, without the
/// key.
[[nodiscard]] Result<std::optional<std::string>> ReadIdempotencyKey(const http::Fields& fields);

}  // namespace idem::upstream
