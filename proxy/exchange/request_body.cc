#include "proxy/exchange/request_body.h"

#include <algorithm>

namespace idem::exchange {

bool RequestBody::Expect(const http::BodyLength& length, std::uint64_t bytes_max,
                         std::uint64_t ahead_max) {
  using Kind = http::BodyLength::Kind;
  bytes_max_ = bytes_max;
  ahead_max_ = ahead_max;
  ended_ = length.kind == Kind::kNone || length == http::BodyLength::Known(0);
  if (length.kind != Kind::kKnown) return true;
  if (length.bytes > bytes_max) return false;
  kept_.reserve(std::min(length.bytes, ahead_max));
  return true;
}

bool RequestBody::Count(std::string_view bytes) {
  received_ += bytes.size();
  return received_ <= bytes_max_;
}

void RequestBody::Stream(std::string_view bytes, ports::UpstreamCall& call) {
  if (!kept_.empty()) {
    call.SendBody(kept_);
    kept_.clear();
  }
  if (!bytes.empty()) call.SendBody(bytes);
}

}  // namespace idem::exchange
