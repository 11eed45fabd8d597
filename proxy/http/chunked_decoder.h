// Decodes the chunked transfer coding (RFC 9112, section 7.1) strictly. Sizes have no sign, prefix
// or blanks; extensions have the RFC's form and fit a budget; CR LF follows the data; trailer lines
// are well-formed. Extensions and trailers are dropped.
//
// Beast's decoder is not used. It accepts any bytes in an extension, detects a bare line feed only
// when a later line ends, and rejects a response for a Content-Length in its trailers, which a
// recipient has to ignore.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/http/parser.h"
#include "proxy/http/section_scanner.h"

namespace idem::http {

/// The treatment of a trailer field that is forbidden there because it frames or routes the message
/// (RFC 9110, section 6.5.1). In a request it is an attack; in a response it is only careless.
enum class ForbiddenTrailers : bool { kDrop, kRefuse };

class ChunkedDecoder {
 public:
  void Begin(ForbiddenTrailers forbidden_trailers);
  /// Refuses, at its size line, a chunk that would bring the data of this body above `bytes_max`.
  void LimitData(std::uint64_t bytes_max) { data_max_ = bytes_max; }

  struct Step {
    std::size_t consumed = 0;
    std::string_view data;  // empty if `ended`, or if more bytes are needed
    bool ended = false;
    const ParseError* error = nullptr;
  };
  /// Decodes up to the next piece of data, the end, an error, or the end of `bytes`.
  Step Next(std::string_view bytes, const ParserLimits& limits);

 private:
  static constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};
  enum class State : std::uint8_t { kSizeLine, kData, kDataEnd, kTrailers };

  [[nodiscard]] const ParseError* TakeSizeLine(std::string_view line, const ParserLimits& limits);
  // Each adds the bytes that it took to step.consumed. Returns false if the caller must return
  // `step` now.
  bool ReadSizeLine(std::string_view bytes, const ParserLimits& limits, Step& step);
  bool ReadData(std::string_view bytes, Step& step);
  bool ReadDataEnd(std::string_view bytes, Step& step);
  bool ReadTrailers(std::string_view bytes, const ParserLimits& limits, Step& step);

  State state_ = State::kSizeLine;
  ForbiddenTrailers forbidden_trailers_ = ForbiddenTrailers::kRefuse;
  std::uint64_t data_left_ = 0;  // bytes left of the present chunk
  std::uint64_t data_max_ = kNoLimit;
  std::uint64_t data_announced_ = 0;  // sum of the sizes of all chunks so far
  std::size_t extension_bytes_ = 0;
  SectionScanner trailers_;
};

}  // namespace idem::http
