// Turns one answer, as a handler gives it, into the bytes that its client can read: the framing for
// the client's version, no body where there may be none, Date and Connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/http/message.h"

namespace idem::http_server {

class ClientAnswer {
 public:
  /// A new answer, to a request with that method ("" if it was never read).
  void Begin(std::string_view method, http::Version client_version);

  /// A 1xx; nothing for a client of HTTP/1.0, which knows none.
  void AppendInterim(const http::ResponseHead& head, std::string& out) const;
  void AppendHead(const http::ResponseHead& head, bool keep_alive, std::string& out);
  /// Body bytes: into `out` with their framing, or returned, to be written behind `out` as they
  /// are.
  std::string_view AppendBody(std::string_view bytes, std::string& out);
  void AppendEnd(std::string& out) const;

  [[nodiscard]] bool head_sent() const { return head_sent_; }
  /// Only the end of the connection will end this answer.
  [[nodiscard]] bool ends_with_connection() const {
    return body_.kind == http::BodyLength::Kind::kUntilClose;
  }

 private:
  [[nodiscard]] http::BodyLength ChooseFraming(const http::ResponseHead& head) const;

  bool to_head_request_ = false;
  http::Version client_version_ = http::Version::kHttp11;
  bool head_sent_ = false;
  bool without_body_ = false;
  http::BodyLength body_;         // the framing that was announced
  std::uint64_t body_bytes_ = 0;  // that were given
};

}  // namespace idem::http_server
