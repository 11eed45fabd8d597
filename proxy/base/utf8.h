// UTF-8 validation (RFC 3629).
#pragma once

#include <cstddef>
#include <string_view>

namespace idem {

/// Returns the length in bytes, 1 to 4, of the well-formed sequence at the start of `text`. Returns
/// 0 for an overlong form, a surrogate, a code point past U+10FFFF, or a truncated sequence. `text`
/// must not be empty.
[[nodiscard]] std::size_t Utf8SequenceLength(std::string_view text);

}  // namespace idem
