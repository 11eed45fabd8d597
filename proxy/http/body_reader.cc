#include "proxy/http/body_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace idem::http {

void BodyReader::Begin(const BodyLength& length, ForbiddenTrailers forbidden_trailers) {
  kind_ = length.kind;
  left_ = length.kind == BodyLength::Kind::kUntilClose ? std::numeric_limits<std::uint64_t>::max()
                                                       : length.bytes;
  held_.reset();
  if (kind_ == BodyLength::Kind::kChunked) chunks_.Begin(forbidden_trailers);
}

BodyReader::Step BodyReader::Next(std::string_view bytes, const ParserLimits& limits) {
  if (kind_ == BodyLength::Kind::kChunked) return NextOfChunks(bytes, limits);
  if (left_ == 0) return {.consumed = 0, .data = {}, .ended = true, .error = nullptr};
  const std::uint64_t taken = std::min<std::uint64_t>(left_, bytes.size());
  if (!ends_with_connection()) left_ -= taken;
  const std::string_view data = bytes.substr(0, static_cast<std::size_t>(taken));
  return {.consumed = data.size(), .data = data, .ended = false, .error = nullptr};
}

BodyReader::Step BodyReader::NextOfChunks(std::string_view bytes, const ParserLimits& limits) {
  constexpr std::size_t kSmallBytes = 1024;
  gathered_.clear();
  Step piece = held_ ? *std::exchange(held_, std::nullopt) : chunks_.Next(bytes, limits);
  if (piece.ended) gathered_.shrink_to_fit();  // an idle connection keeps no buffer
  if (piece.data.size() >= kSmallBytes) return piece;
  Step next = piece;
  while (!next.data.empty() && piece.consumed < bytes.size()) {
    next = chunks_.Next(bytes.substr(piece.consumed), limits);
    if (next.ended || next.error != nullptr) {
      held_ = next;
      break;
    }
    piece.consumed += next.consumed;
    if (next.data.empty()) break;
    if (gathered_.empty()) gathered_.append(piece.data);
    gathered_.append(next.data);
  }
  if (!gathered_.empty()) piece.data = gathered_;
  return piece;
}

}  // namespace idem::http
