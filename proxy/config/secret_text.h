// What a secret may be, wherever it comes from: the file, a secrets file, a token file.
#pragma once

#include <string_view>

namespace idem::config {

/// Returns a predicate that says what is wrong with a secret, or "". A secret that no caller can have
/// meant is wrong: empty, with a blank at an end, with a control character or a byte order mark, a
/// comment line, a variable without braces.
[[nodiscard]] std::string_view WrongWithSecret(std::string_view secret);

}  // namespace idem::config
