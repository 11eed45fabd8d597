#include "proxy/http/body_reader.h"

#include <algorithm>
#include <limits>

namespace idem::http {

void BodyReader::Begin(const BodyLength& length, ForbiddenTrailers forbidden_trailers) {
  kind_ = length.kind;
  left_ = length.kind == BodyLength::Kind::kUntilClose ? std::numeric_limits<std::uint64_t>::max()
                                                       : length.bytes;
  if (kind_ == BodyLength::Kind::kChunked) chunks_.Begin(forbidden_trailers);
}

BodyReader::Step BodyReader::Next(std::string_view bytes, const ParserLimits& limits) {
  if (kind_ == BodyLength::Kind::kChunked) return chunks_.Next(bytes, limits);
  if (left_ == 0) return {.consumed = 0, .data = {}, .ended = true, .error = nullptr};
  const std::uint64_t taken = std::min<std::uint64_t>(left_, bytes.size());
  if (!ends_with_connection()) left_ -= taken;
  const std::string_view data = bytes.substr(0, static_cast<std::size_t>(taken));
  return {.consumed = data.size(), .data = data, .ended = false, .error = nullptr};
}

}  // namespace idem::http
