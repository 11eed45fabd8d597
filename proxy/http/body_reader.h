// Takes one message's body out of its framing (RFC 9112, section 6.3): a known length, chunks, or
// all until the connection ends.
#pragma once

#include <optional>
#include <string>

#include "proxy/http/chunked_decoder.h"
#include "proxy/http/message.h"

namespace idem::http {

class BodyReader {
 public:
  void Begin(const BodyLength& length, ForbiddenTrailers forbidden_trailers);
  /// Of one without a known length; whoever knows a length compares it by itself.
  void LimitChunks(std::uint64_t bytes_max) { chunks_.LimitData(bytes_max); }
  using Step = ChunkedDecoder::Step;
  /// The next piece of the body, or its end. Small chunks that came together are one piece: each
  /// piece costs its receiver a system call, and an upload of a megabyte may come as a million.
  Step Next(std::string_view bytes, const ParserLimits& limits);
  /// The connection's end would be the body's end.
  [[nodiscard]] bool ends_with_connection() const { return kind_ == BodyLength::Kind::kUntilClose; }

 private:
  Step NextOfChunks(std::string_view bytes, const ParserLimits& limits);

  BodyLength::Kind kind_ = BodyLength::Kind::kNone;
  std::uint64_t left_ = 0;
  ChunkedDecoder chunks_;
  std::string gathered_;      // small chunks; no more than was fed at once
  std::optional<Step> held_;  // an end or an error behind them, told by the next call
};

}  // namespace idem::http
