// Writes JSON text directly, for callers to whom a value tree would cost more than the text. json.h
// reads JSON.
#pragma once

#include <string>
#include <string_view>

namespace idem {

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so the
/// result is always valid JSON (RFC 8259, section 8.1).
void AppendJsonString(std::string_view text, std::string& to);

}  // namespace idem
