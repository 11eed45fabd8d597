#include "proxy/exchange/claim/buffered_response.h"

#include <utility>

#include "proxy/exchange/rules/forwarded_head.h"

namespace idem::exchange {

bool BufferedResponse::TakeHead(http::ResponseHead& from, std::uint64_t body_max) {
  std::swap(head, from);
  if (head.body.kind != http::BodyLength::Kind::kKnown) return true;
  too_large = head.body.bytes > body_max;
  if (!too_large) body.reserve(head.body.bytes);
  return !too_large;
}

bool BufferedResponse::TakeBody(std::string_view bytes, std::uint64_t body_max) {
  body.append(bytes);
  if (body.size() > body_max) too_large = true;
  return !too_large;
}

bool BufferedResponse::TakeEnd(bool announces_close) {
  complete = announces_close || head.body.kind != http::BodyLength::Kind::kUntilClose;
  return complete;
}

std::shared_ptr<idempotency::StoredResponse> BufferedResponse::MoveToStored(
    std::span<const std::string> drop) {
  auto stored = std::make_shared<idempotency::StoredResponse>();
  stored->status = head.status;
  CopyRecorded(head.fields, drop, stored->fields);
  stored->body_kept = !too_large;
  if (stored->body_kept) stored->body = std::move(body);
  return stored;
}

}  // namespace idem::exchange
