// The heads of HTTP/1.1 messages as data (RFC 9110, RFC 9112). Bodies are passed separately, in
// pieces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/fields.h"

namespace idem::http {

enum class Version : std::uint8_t { kHttp10, kHttp11 };

/// The number of body bytes that follow a head (RFC 9112, section 6).
struct BodyLength {
  enum class Kind : std::uint8_t {
    kNone,        // the message has no body
    kKnown,       // `bytes` bytes; 0 for Content-Length: 0
    kChunked,     // until the last chunk
    kUntilClose,  // responses only: until the connection ends
  };
  Kind kind = Kind::kNone;
  std::uint64_t bytes = 0;  // kKnown only

  static BodyLength Known(std::uint64_t bytes) { return {Kind::kKnown, bytes}; }
  bool operator==(const BodyLength&) const = default;
};

/// A request's head. In a head from the parser, `fields` are as received, Content-Length and
/// Transfer-Encoding included. In a head for the writer, `fields` must hold no framing field; the
/// writer adds it from `body`.
struct RequestHead {
  std::string method;
  // As received (RFC 9112, section 3.2), except that the parser reduces absolute-form to
  // origin-form and replaces Host with its authority (section 3.2.2).
  std::string target;
  Version version = Version::kHttp11;
  Fields fields;
  BodyLength body;
  // The client accepts another request on this connection (RFC 9112, section 9.3).
  bool keep_alive = true;
  bool expects_continue = false;  // Expect: 100-continue (RFC 9110, section 10.1.1)

  void Clear();
  /// Returns the value of Host, or "" if it is empty or absent.
  [[nodiscard]] std::string_view host() const { return fields.Find("Host").value_or(""); }
};

/// A response's head, with the same rules for `fields`. `reason` may be empty.
struct ResponseHead {
  std::uint16_t status = 0;
  std::string reason;
  Version version = Version::kHttp11;
  Fields fields;
  BodyLength body;
  bool keep_alive = true;

  void Clear();
};

/// Returns the standard reason phrase (RFC 9110, section 15), or "" for an unassigned status.
[[nodiscard]] std::string_view ReasonPhrase(std::uint16_t status);

/// Returns whether a response to `method` with `status` never has a body (RFC 9112, section 6.3,
/// items 1 and 2).
[[nodiscard]] bool HasNoBody(std::string_view method, std::uint16_t status);

}  // namespace idem::http
