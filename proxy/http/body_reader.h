// Extracts one message's body from its framing (RFC 9112, section 6.3): a known length, chunks, or
// everything until the connection ends.
#pragma once

#include <optional>
#include <string>

#include "proxy/http/chunked_decoder.h"
#include "proxy/http/message.h"

namespace idem::http {

class BodyReader {
 public:
  void Begin(const BodyLength& length, ForbiddenTrailers forbidden_trailers);
  /// Limits a chunked body. With Content-Length the caller checks the limit.
  void LimitChunks(std::uint64_t bytes_max) { chunks_.LimitData(bytes_max); }
  using Step = ChunkedDecoder::Step;
  /// Returns the next piece of the body, its end, or an error. Small chunks that arrived together
  /// are merged, because each piece costs its receiver a system call and an upload of a megabyte
  /// may come as a million chunks.
  Step Next(std::string_view bytes, const ParserLimits& limits);
  /// Returns true if the end of the connection ends the body.
  [[nodiscard]] bool ends_with_connection() const { return kind_ == BodyLength::Kind::kUntilClose; }

 private:
  Step NextOfChunks(std::string_view bytes, const ParserLimits& limits);

  BodyLength::Kind kind_ = BodyLength::Kind::kNone;
  std::uint64_t left_ = 0;
  ChunkedDecoder chunks_;
  std::string gathered_;  // merged small chunks, no longer than the bytes of one call
  // An end or an error after the merged chunks; the next call returns it.
  std::optional<Step> held_;
};

}  // namespace idem::http
