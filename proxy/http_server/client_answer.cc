#include "proxy/http_server/client_answer.h"

#include "proxy/base/invariant.h"
#include "proxy/http/head_writer.h"

namespace idem::http_server {

using Kind = http::BodyLength::Kind;

void ClientAnswer::Begin(std::string_view method, http::Version client_version) {
  *this = {};
  to_head_request_ = method == "HEAD";
  client_version_ = client_version;
}

void ClientAnswer::AppendInterim(const http::ResponseHead& head, std::string& out) const {
  INVARIANT(!head_sent_ && head.status / 100 == 1);
  if (client_version_ == http::Version::kHttp10) return;  // RFC 9110, section 15.2
  const http::ResponseTerms terms{
      .to_version = client_version_, .body = {}, .keep_alive = true, .add_date = false};
  http::AppendResponseHead(head, terms, out);
}

void ClientAnswer::AppendHead(const http::ResponseHead& head, bool keep_alive, std::string& out) {
  INVARIANT(!head_sent_ && head.status >= 200);
  head_sent_ = true;
  without_body_ = http::HasNoBody(to_head_request_ ? "HEAD" : "", head.status);
  body_ = ChooseFraming(head);
  const http::ResponseTerms terms{
      .to_version = client_version_, .body = body_, .keep_alive = keep_alive, .add_date = true};
  http::AppendResponseHead(head, terms, out);
}

// The length where it is known; else chunks, for those who can read them (RFC 9112, section 6.1).
http::BodyLength ClientAnswer::ChooseFraming(const http::ResponseHead& head) const {
  if (head.body.kind == Kind::kKnown) return head.body;
  if (without_body_) return {};
  if (head.body.kind == Kind::kNone) return http::BodyLength::Known(0);
  const bool chunks = client_version_ == http::Version::kHttp11;
  return {.kind = chunks ? Kind::kChunked : Kind::kUntilClose};
}

std::string_view ClientAnswer::AppendBody(std::string_view bytes, std::string& out) {
  INVARIANT(head_sent_);
  if (without_body_ || bytes.empty()) return {};
  body_bytes_ += bytes.size();
  if (body_.kind == Kind::kKnown) INVARIANT(body_bytes_ <= body_.bytes);
  if (body_.kind != Kind::kChunked) return bytes;
  http::AppendChunk(bytes, out);
  return {};
}

void ClientAnswer::AppendEnd(std::string& out) const {
  INVARIANT(head_sent_);
  if (without_body_) return;
  if (body_.kind == Kind::kKnown) INVARIANT(body_bytes_ == body_.bytes);
  if (body_.kind == Kind::kChunked) out.append(http::kLastChunk);
}

}  // namespace idem::http_server
