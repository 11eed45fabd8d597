// Finds the end of a section of lines (a head, or a trailer section) in bytes that arrive in any
// pieces. It refuses everything that would make the end ambiguous: a line feed without its carriage
// return, a folded line, more bytes or lines than allowed (RFC 9112, sections 2.2 and 5.2). The
// parser behind it (Beast) gets whole sections only, so its result cannot depend on how the bytes
// arrived.
#pragma once

#include <cstddef>
#include <string_view>

#include "proxy/http/parser.h"

namespace idem::http {

class SectionScanner {
 public:
  struct Limits {
    std::size_t start_line_bytes = 0;  // size without its CRLF
    std::size_t fields_bytes = 0;      // sum of all field lines with their CRLFs
    std::size_t fields_count = 0;
  };
  enum class StartLine : bool { kNone, kOne };

  void Begin(StartLine start_line);

  struct Progress {
    // The whole section with its empty line, or 0 if it is not complete yet.
    std::size_t section_bytes = 0;
    const ParseError* error = nullptr;
  };
  /// `bytes` begin with the section's first byte at every call. Bytes of earlier calls are not
  /// scanned again.
  Progress Scan(std::string_view bytes, const Limits& limits);

  /// Returns true if no byte of the section has been scanned.
  [[nodiscard]] bool untouched() const { return scanned_ == 0; }

 private:
  [[nodiscard]] const ParseError* CheckSize(std::size_t scanned_bytes, bool line_is_complete,
                                            const Limits& limits) const;
  [[nodiscard]] const ParseError* TakeFieldLine(std::string_view line, const Limits& limits);

  bool in_start_line_ = false;
  std::size_t scanned_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t fields_begin_ = 0;
  std::size_t fields_count_ = 0;
};

}  // namespace idem::http
