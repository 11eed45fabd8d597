// Which fields pass through the proxy, and which it adds: pure functions over heads (RFC 9110,
// section 7.6; semantics.md, "Fields").
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/http/message.h"
#include "proxy/http/server_stream.h"

namespace idem::exchange {

/// Whether a field belongs to one connection only (RFC 9110, section 7.6.1), by its name alone.
[[nodiscard]] bool IsHopByHop(std::string_view name);

/// A field that Connection may not name: removing it would change what the message is. A request
/// that names one is refused.
[[nodiscard]] bool NamesProtectedField(const http::Fields& fields);

/// An OPTIONS that the proxy has to answer itself (RFC 9110, section 7.6.2); TRACE it refuses
/// anyway.
[[nodiscard]] bool HasNoHopLeft(const http::RequestHead& request);

/// What the proxy knows about a request beside its head.
struct ForwardedRequest {
  const http::RequestHead* received = nullptr;
  const http::Peer* peer = nullptr;
  bool peer_trusted = false;  // trusted_proxies: its X-Forwarded-Proto and -Host are believed
  std::string_view request_id;
  std::string_view client_id;   // "" on a route without authentication
  std::string_view key_header;  // "" where no key is forwarded in its bare form
  std::string_view key;
  bool identity_encoding = false;  // a claim: every caller must be able to read the replay
};

/// The head for the upstream. `to.body` is left to the caller.
void BuildUpstreamHead(const ForwardedRequest& request, http::RequestHead& to);

/// A question to the backend of the proxy's own, on behalf of a request.
struct LookUpRequest {
  const http::RequestHead* asker = nullptr;  // its Host says which backend of many is meant
  std::string_view target;
  std::span<const std::pair<std::string, std::string>> headers;  // the configuration's
  std::string_view request_id;
  std::string_view client_id;  // "" on a route without authentication
};

/// A GET without a body. A field of the configuration comes before the proxy's own, but for what
/// every caller must be able to read: the answer is asked for without a coding.
void BuildLookUpHead(const LookUpRequest& request, http::RequestHead& to);

/// How much body goes to the upstream with a request whose whole body is `bytes` long: a method
/// that usually has one says so also of an empty one.
[[nodiscard]] http::BodyLength WholeBodyLength(const http::RequestHead& received,
                                               std::uint64_t bytes);

/// Whether a response is the outcome of a claim: then only the proxy may say Idempotent-Replayed
/// and Idempotency-Status of it.
enum class ResponseOrigin : std::uint8_t { kPassed, kClaim };

/// The upstream's head as a client gets it: its end-to-end fields, in their order. Content-Length
/// is left out; it follows from the framing, which is left to the caller.
[[nodiscard]] http::ResponseHead HeadForClient(const http::ResponseHead& response,
                                               ResponseOrigin origin);

/// Sets the framing of an answer whose body is `body` as a whole, and gives back what of it goes
/// out: nothing to HEAD, which is told the length all the same.
[[nodiscard]] std::string_view FrameWhole(std::string_view method, std::string_view body,
                                          http::ResponseHead& head);

/// The length that a streamed response announces to the client: for HEAD what a GET would have had.
[[nodiscard]] http::BodyLength StreamedLength(std::string_view method,
                                              const http::ResponseHead& response);

/// What is kept of an executed response: the fields of HeadForClient() without Date, rate-limit
/// fields, X-Request-Id, and the names in `drop` (lower case).
void CopyRecorded(const http::Fields& from, std::span<const std::string> drop, http::Fields& to);

}  // namespace idem::exchange
