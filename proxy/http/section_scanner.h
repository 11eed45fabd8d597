// Finds the end of a section of lines (a head, or a trailer section) in bytes that come in any
// pieces, and refuses on the way what would make the end a matter of opinion: a line feed without
// its carriage return, a folded line, more bytes or lines than are allowed (RFC 9112, sections 2.2
// and 5.2). What is behind it (Beast) then only ever sees whole sections, so that its verdict
// cannot depend on how the bytes arrived.
#pragma once

#include <cstddef>
#include <string_view>

#include "proxy/http/parser.h"

namespace idem::http {

class SectionScanner {
 public:
  struct Limits {
    std::size_t start_line_bytes = 0;  // without its CRLF
    std::size_t fields_bytes = 0;      // all field lines with their CRLFs
    std::size_t fields_count = 0;
  };
  enum class StartLine : bool { kNone, kOne };

  void Begin(StartLine start_line);

  struct Progress {
    std::size_t section_bytes = 0;  // the whole section with its empty line; 0: not complete yet
    const ParseError* error = nullptr;
  };
  /// `bytes` begins with the section's first byte, each time; what was looked at before is not
  /// looked at again.
  Progress Scan(std::string_view bytes, const Limits& limits);

  /// No byte of the section has been seen.
  [[nodiscard]] bool untouched() const { return scanned_ == 0; }

 private:
  [[nodiscard]] const ParseError* CheckSize(std::size_t seen, bool line_is_complete,
                                            const Limits& limits) const;
  [[nodiscard]] const ParseError* TakeFieldLine(std::string_view line, const Limits& limits);

  bool in_start_line_ = false;
  std::size_t scanned_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t fields_begin_ = 0;
  std::size_t fields_count_ = 0;
};

}  // namespace idem::http
