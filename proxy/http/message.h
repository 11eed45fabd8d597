// The heads of HTTP/1.1 messages as data (RFC 9110, RFC 9112). Bodies travel beside them, in
// pieces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/fields.h"

namespace idem::http {

enum class Version : std::uint8_t { kHttp10, kHttp11 };

/// How many body bytes follow a head (RFC 9112, section 6).
struct BodyLength {
  enum class Kind : std::uint8_t {
    kNone,        // there is no body
    kKnown,       // `bytes` of them (0 is possible: a Content-Length: 0)
    kChunked,     // until the last chunk
    kUntilClose,  // responses only: until the connection ends
  };
  Kind kind = Kind::kNone;
  std::uint64_t bytes = 0;  // kKnown only

  static BodyLength Known(std::uint64_t bytes) { return {Kind::kKnown, bytes}; }
  bool operator==(const BodyLength&) const = default;
};

/// A request's head. From the parser: `fields` are as received, with Content-Length and
/// Transfer-Encoding left in. For the writer: framing fields must not be among `fields`; they
/// follow from `body`.
struct RequestHead {
  std::string method;
  std::string target;  // as received (RFC 9112, section 3.2); absolute-form is reduced to
                       // origin-form by the parser, its authority replacing Host (section 3.2.2)
  Version version = Version::kHttp11;
  Fields fields;
  BodyLength body;
  bool keep_alive = true;         // the client's wish (RFC 9112, section 9.3)
  bool expects_continue = false;  // Expect: 100-continue (RFC 9110, section 10.1.1)

  void Clear();
  /// The value of Host, or "" (a valid, empty one).
  [[nodiscard]] std::string_view host() const { return fields.Find("Host").value_or(""); }
};

/// A response's head, with the same rules. `reason` may be empty.
struct ResponseHead {
  std::uint16_t status = 0;
  std::string reason;
  Version version = Version::kHttp11;
  Fields fields;
  BodyLength body;
  bool keep_alive = true;

  void Clear();
};

/// The standard reason phrase (RFC 9110, section 15), or "".
[[nodiscard]] std::string_view ReasonPhrase(std::uint16_t status);

/// Whether a response to `method` with that status never has a body (RFC 9112, section 6.3, items 1
/// and 2).
[[nodiscard]] bool HasNoBody(std::string_view method, std::uint16_t status);

}  // namespace idem::http
