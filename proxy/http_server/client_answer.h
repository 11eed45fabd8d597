// Writes the answers on one client connection, one after the other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/deadlines.h"
#include "proxy/event/connection.h"
#include "proxy/http/message.h"
#include "proxy/http_server/server.h"

namespace idem::http_server {

/// Frames each answer for its client's HTTP version, leaves out bodies where none is allowed, adds
/// Date and Connection, and limits how long the client may read nothing. Errors of the connection
/// are reported by its own OnFailure().
class ClientAnswer {
 public:
  /// Calls `on_stalled` if the kernel takes no byte for options.write_timeout. `connection` and
  /// `options` outlive this.
  ClientAnswer(Loop& loop, event::Connection& connection, const Options& options,
               Function<void()> on_stalled);

  /// Begins the answer to a request with that method ("" if it was never read).
  void Begin(std::string_view method, http::Version client_version);
  void SendContinue();
  /// Sends a 1xx response. An HTTP/1.0 client gets none (RFC 9110, section 15.2).
  void SendInterim(const http::ResponseHead& head);
  /// Buffers the head until Flush(), because the body usually follows at once.
  void AppendHead(const http::ResponseHead& head, bool keep_alive);
  void SendBody(std::string_view bytes);
  void End();

  /// Sends the buffered bytes.
  void Flush() { Write({}); }
  /// Starts the write deadline if bytes are unsent. Called after the connection wrote by itself
  /// (TLS).
  void WatchUnsent();
  /// Stops the write deadline.
  void StopWatching() { deadline_.Clear(); }

  [[nodiscard]] bool head_sent() const { return framing_.head_sent; }
  /// Only the end of the connection ends this answer.
  [[nodiscard]] bool ends_with_connection() const {
    return framing_.body.kind == http::BodyLength::Kind::kUntilClose;
  }
  /// A write failed; the connection's OnFailure() follows.
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] std::size_t unsent_bytes() const {
    return buffered_.size() + connection_.unsent_bytes();
  }

 private:
  struct Framing {
    bool to_head_request = false;
    http::Version client_version = http::Version::kHttp11;
    bool head_sent = false;
    bool without_body = false;
    http::BodyLength body;         // as announced to the client
    std::uint64_t body_bytes = 0;  // sent so far
  };
  [[nodiscard]] http::BodyLength ChooseBodyFraming(const http::ResponseHead& head) const;
  void Write(std::string_view body);
  void OnDeadline();

  event::Connection& connection_;
  const Options& options_;
  Function<void()> on_stalled_;
  Framing framing_;
  std::string buffered_;
  bool broken_ = false;
  LazyTimer deadline_;
  std::uint64_t written_bytes_ = 0;  // to the connection, since it was accepted
  std::uint64_t taken_bytes_ = 0;    // of these, by the kernel at the last look
};

}  // namespace idem::http_server
