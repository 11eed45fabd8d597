// Sends the response of one exchange to its client, whole or streamed.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "proxy/exchange/report_builder.h"
#include "proxy/exchange/rules/forwarded_head.h"
#include "proxy/http/message.h"
#include "proxy/http/server_stream.h"
#include "proxy/ports/rate_limiter.h"

namespace idem::exchange {

/// Beyond so many unsent bytes the faster side is paused, in both directions.
constexpr std::size_t kUnsentMax = 64 * 1024;

/// The rate limit that the request was counted against; null if it was not counted.
struct AppliedLimit {
  const ports::LimitRule* rule = nullptr;
  const ports::LimitResult* result = nullptr;
};

/// A whole response that is ready to be sent. `head` and `body` must live until Send().
struct FramedResponse {
  http::ServerStream& stream;
  const http::ResponseHead& head;
  std::string_view body;
  void Send() const;
};

/// Part of an exchange. Holds its stream, and writes status and size of the response into the
/// report before any byte is sent.
class ResponseSender {
 public:
  ResponseSender(http::ServerStream& stream, ReportBuilder& report)
      : stream_(&stream), report_(report) {}

  /// Null once the client has gone or the stream was taken.
  [[nodiscard]] http::ServerStream* stream() const { return stream_; }
  [[nodiscard]] http::ServerStream* TakeStream() { return std::exchange(stream_, nullptr); }
  /// The head of a streamed response has been sent; its body follows as it comes.
  [[nodiscard]] bool streaming() const { return streaming_; }

  /// Adds the proxy's own fields and the framing to `head`, and takes the stream.
  [[nodiscard]] FramedResponse Frame(http::ResponseHead& head, std::string_view body,
                                     const AppliedLimit& limit);

  /// Sends the head of the upstream's response.
  void BeginStreaming(const http::ResponseHead& response, ResponseOrigin origin,
                      const AppliedLimit& limit);
  /// Returns false if the client reads too slowly: the source must pause until OnDrained().
  [[nodiscard]] bool StreamBody(std::string_view bytes);

 private:
  void AddOwnFields(http::ResponseHead& head, const AppliedLimit& limit);

  http::ServerStream* stream_;
  ReportBuilder& report_;
  bool streaming_ = false;
};

}  // namespace idem::exchange
