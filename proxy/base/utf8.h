// UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <string_view>

namespace idem {

/// How many bytes the well-formed sequence at the start of `text` has, 1 to 4; 0 where there is
/// none (an overlong form, a surrogate, a code point past U+10FFFF, a sequence cut short). `text`
/// is not empty.
[[nodiscard]] std::size_t Utf8SequenceLength(std::string_view text);

}  // namespace idem
