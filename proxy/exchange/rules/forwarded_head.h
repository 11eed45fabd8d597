// Decides which fields pass through the proxy and which it adds. Pure functions over heads (RFC
// 9110, section 7.6; semantics.md, "Fields").
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/exchange/rules/router.h"
#include "proxy/http/message.h"
#include "proxy/http/server_stream.h"

namespace idem::exchange {

/// Returns whether a field of that name belongs to one connection only (RFC 9110, section 7.6.1).
[[nodiscard]] bool IsHopByHop(std::string_view name);

/// Returns whether Connection names a field whose removal would change the meaning of the message.
/// Such a request is refused.
[[nodiscard]] bool NamesProtectedField(const http::Fields& fields);

/// Returns whether the proxy has to answer this OPTIONS itself (RFC 9110, section 7.6.2). TRACE is
/// always refused.
[[nodiscard]] bool HasNoHopLeft(const http::RequestHead& request);

/// Facts about a request that are not in its head.
struct ForwardedRequest {
  const http::RequestHead* received = nullptr;
  const Route* route = nullptr;
  const http::Peer* peer = nullptr;
  bool peer_trusted = false;  // in trusted_proxies: its X-Forwarded-Proto and -Host are believed
  std::string_view request_id;
  std::string_view client_id;   // "" on a route without authentication
  std::string_view key_header;  // "" if no key is forwarded in its bare form
  std::string_view key;
  bool identity_encoding = false;  // set for a claim: every caller must be able to read the replay
};

/// Turns the received head into the head for the upstream. The caller sets `to.body`.
void BuildUpstreamHead(const ForwardedRequest& request, http::RequestHead& to);

/// The proxy's own query to the backend about an earlier request.
struct LookUpRequest {
  // Request that caused the query; its Host selects the backend.
  const http::RequestHead* asker = nullptr;
  std::string_view target;
  std::span<const std::pair<std::string, std::string>> headers;  // fields from the configuration
  std::string_view request_id;
  std::string_view client_id;  // "" on a route without authentication
};

/// Builds a GET without a body. Configured fields replace the proxy's own, except for
/// Accept-Encoding: the answer must have no content coding, because every caller must be able to
/// read it.
void BuildLookUpHead(const LookUpRequest& request, http::RequestHead& to);

/// Returns the framing of a body of `bytes` bytes for the upstream. A method that usually has a
/// body gets Content-Length: 0 for an empty one.
[[nodiscard]] http::BodyLength WholeBodyLength(const http::RequestHead& received,
                                               std::uint64_t bytes);

/// The origin of a response. Only the proxy may set Idempotent-Replayed and Idempotency-Status on
/// the outcome of a claim (kClaim).
enum class ResponseOrigin : std::uint8_t { kPassed, kClaim };

/// Returns the upstream's head for the client: its end-to-end fields, in their order.
/// Content-Length is left out, because the caller sets the framing.
[[nodiscard]] http::ResponseHead HeadForClient(const http::ResponseHead& response,
                                               ResponseOrigin origin);

/// Sets the framing of an answer whose whole body is `body`. Returns the part to send: nothing for
/// HEAD, which still gets the length.
[[nodiscard]] std::string_view FrameWhole(std::string_view method, std::string_view body,
                                          http::ResponseHead& head);

/// Returns the framing of a streamed response for the client. HEAD gets the length that a GET would
/// have had.
[[nodiscard]] http::BodyLength StreamedLength(std::string_view method,
                                              const http::ResponseHead& response);

/// Copies the fields that are recorded of a response: those of HeadForClient() without Date,
/// rate-limit fields, X-Request-Id, and the names in `drop` (lower case).
void CopyRecorded(const http::Fields& from, std::span<const std::string> drop, http::Fields& to);

}  // namespace idem::exchange
