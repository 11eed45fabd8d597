// Short digests of what a fingerprint covers, one for each part. A record keeps them, so that a
// mismatch can name what differs. They only explain: the fingerprint decides.
#pragma once

#include <string>
#include <string_view>

#include "proxy/http/fields.h"

namespace idem::idempotency {

struct Recipe;
struct FingerprintInput;

/// Eight lower-case hex digits for each of method, path, query, body and the recipe's fields, in
/// that order. `body` is what the fingerprint took for the body, and `mode` how.
[[nodiscard]] std::string PartDigests(const Recipe& recipe, const FingerprintInput& input,
                                      std::string_view mode, std::string_view body);

/// Whether PartDigests() may have made `digests`.
[[nodiscard]] bool ArePartDigests(std::string_view digests);

/// The names of the parts that differ, with a comma between them: "method", "path", "query",
/// "body", or a field's name. "" where none does, or the two were not made by this recipe.
[[nodiscard]] std::string DifferingParts(const Recipe& recipe, std::string_view mine,
                                         std::string_view theirs);

}  // namespace idem::idempotency
