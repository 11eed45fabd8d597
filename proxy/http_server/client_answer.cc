#include "proxy/http_server/client_answer.h"

#include <utility>

#include "proxy/base/invariant.h"
#include "proxy/http/head_writer.h"

namespace idem::http_server {

using Kind = http::BodyLength::Kind;

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::size_t kBufferBytesKept = std::size_t{16} * 1024;

}  // namespace

ClientAnswer::ClientAnswer(Loop& loop, event::Connection& connection, const Options& options,
                           Function<void()> on_stalled)
    : connection_(connection),
      options_(options),
      on_stalled_(std::move(on_stalled)),
      deadline_(loop, [this] { OnDeadline(); }) {}

void ClientAnswer::Begin(std::string_view method, http::Version client_version) {
  framing_ = {};
  framing_.to_head_request = method == "HEAD";
  framing_.client_version = client_version;
}

void ClientAnswer::SendContinue() {
  buffered_.append(kContinue);
  Flush();
}

void ClientAnswer::SendInterim(const http::ResponseHead& head) {
  INVARIANT(!head_sent() && head.status / 100 == 1);
  if (framing_.client_version != http::Version::kHttp10) {
    const http::ResponseTerms terms{
        .to_version = framing_.client_version, .body = {}, .keep_alive = true, .add_date = false};
    http::AppendResponseHead(head, terms, buffered_);
  }
  Flush();
}

void ClientAnswer::AppendHead(const http::ResponseHead& head, bool keep_alive) {
  INVARIANT(!head_sent() && head.status >= 200);
  framing_.head_sent = true;
  framing_.without_body = http::HasNoBody(framing_.to_head_request ? "HEAD" : "", head.status);
  framing_.body = ChooseBodyFraming(head);
  const http::ResponseTerms terms{.to_version = framing_.client_version,
                                  .body = framing_.body,
                                  .keep_alive = keep_alive,
                                  .add_date = true};
  http::AppendResponseHead(head, terms, buffered_);
}

// Without a known length, HTTP/1.1 clients get chunks (RFC 9112, section 6.1).
http::BodyLength ClientAnswer::ChooseBodyFraming(const http::ResponseHead& head) const {
  if (head.body.kind == Kind::kKnown) return head.body;
  if (framing_.without_body) return {};
  if (head.body.kind == Kind::kNone) return http::BodyLength::Known(0);
  const bool chunks = framing_.client_version == http::Version::kHttp11;
  return {.kind = chunks ? Kind::kChunked : Kind::kUntilClose};
}

void ClientAnswer::SendBody(std::string_view bytes) {
  INVARIANT(head_sent());
  if (framing_.without_body || bytes.empty()) return;
  framing_.body_bytes += bytes.size();
  if (framing_.body.kind == Kind::kKnown) {
    INVARIANT(framing_.body_bytes <= framing_.body.bytes);
  }
  if (framing_.body.kind != Kind::kChunked) return Write(bytes);
  http::AppendChunk(bytes, buffered_);
  Flush();
}

void ClientAnswer::End() {
  INVARIANT(head_sent());
  if (!framing_.without_body) {
    if (framing_.body.kind == Kind::kKnown) {
      INVARIANT(framing_.body_bytes == framing_.body.bytes);
    }
    if (framing_.body.kind == Kind::kChunked) buffered_.append(http::kLastChunk);
  }
  Flush();
}

// Makes one system call for the buffered bytes and the body behind them.
void ClientAnswer::Write(std::string_view body) {
  if (buffered_.empty() && body.empty()) return;
  written_bytes_ += buffered_.size() + body.size();
  if (!connection_.Write(buffered_, body)) broken_ = true;
  buffered_.clear();
  if (buffered_.capacity() > kBufferBytesKept) std::string().swap(buffered_);
  WatchUnsent();
}

void ClientAnswer::WatchUnsent() {
  if (broken_ || connection_.unsent_bytes() == 0 || deadline_.running()) return;
  taken_bytes_ = written_bytes_ - connection_.unsent_bytes();
  deadline_.Set(options_.write_timeout);
}

// A client that reads slowly makes progress: any byte that the kernel took renews the deadline.
void ClientAnswer::OnDeadline() {
  const std::uint64_t taken = written_bytes_ - connection_.unsent_bytes();
  if (std::exchange(taken_bytes_, taken) < taken) return deadline_.Set(options_.write_timeout);
  on_stalled_();
}

}  // namespace idem::http_server
