// The one place where a decision or an error becomes a status code: the table "Answers the proxy
// makes itself" of semantics.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/message.h"
#include "proxy/idempotency/advice.h"
#include "proxy/idempotency/record.h"
#include "proxy/ports/upstream.h"

namespace idem::exchange {

/// One answer of the proxy's own.
struct Reply {
  std::uint16_t status = 500;
  std::string_view name{};  // the NAME of semantics.md; "": no problem, and no body
  /// What the advice, the member `retry`, is made of: idempotency::Advise().
  idempotency::Circumstances at{};
  std::string_view detail{};  // for the caller: no secret, no backend address
  std::string_view more{};    // stands behind it
  std::optional<std::chrono::seconds> retry_after{};
  std::string allow{};                             // 405
  std::string_view www_authenticate{};             // 401
  std::optional<std::uint16_t> executed_status{};  // response-not-kept
  std::string_view first_state{};                  // payload-mismatch
  std::optional<std::uint16_t> first_status{};     // payload-mismatch, completed
  std::string_view mismatch_in{};                  // payload-mismatch; good until it is rendered
};

/// What the exchange adds to the circumstances of a reply: how far its own request has got.
struct RequestProgress {
  bool written = false;  // a byte of it was written to the backend
  std::string_view method;
  bool upstream_idempotent = false;  // the backend drops duplicates of it
};
[[nodiscard]] Reply WithProgress(Reply reply, const RequestProgress& progress);

/// Of a request whose last hop this is.
[[nodiscard]] Reply AnsweredHere();
[[nodiscard]] Reply BadRequest(std::string_view detail);
/// What a parser or the body's reader refused.
[[nodiscard]] Reply Unreadable(std::uint16_t status, std::string_view name,
                               std::string_view detail);
[[nodiscard]] Reply NoRoute();
[[nodiscard]] Reply MethodNotAllowed(std::string allow);
[[nodiscard]] Reply NotImplemented(std::string_view detail);
[[nodiscard]] Reply BodyTooLarge();
[[nodiscard]] Reply SignatureRefused(std::string_view name, std::string_view scheme);
[[nodiscard]] Reply RateLimited(std::chrono::milliseconds until_free);
/// `header`: of the field that it belongs in; good until the reply is rendered.
[[nodiscard]] Reply KeyMissing(std::string_view header);
[[nodiscard]] Reply KeyInvalid(std::string_view reason);
/// `first`: the record that holds the key, at `now`.
[[nodiscard]] Reply PayloadMismatch(std::uint16_t status, const idempotency::Record& first,
                                    StoreTime now, std::string_view mismatch_in);
/// `status`: of the policy, `in_progress_status`.
[[nodiscard]] Reply InProgress(std::uint16_t status);
/// `look_up_in`: when sending it again may settle the outcome (`reconcile`); null: only the
/// backend's owner can. `status`: of the policy, `unknown_status`.
[[nodiscard]] Reply OutcomeUnknown(std::uint16_t status,
                                   std::optional<std::chrono::milliseconds> look_up_in);
[[nodiscard]] Reply ResponseNotKept(std::uint16_t executed_status);
[[nodiscard]] Reply StoreUnavailable();
[[nodiscard]] Reply Overloaded();
[[nodiscard]] Reply Draining();
/// The claim is released, or there was none.
[[nodiscard]] Reply UpstreamFailed(ports::UpstreamProblem problem);
/// The claim became unknown by it.
[[nodiscard]] Reply UpstreamFailedUnknown(ports::UpstreamProblem problem,
                                          std::optional<std::chrono::milliseconds> look_up_in);

/// Renders `reply`: the head's status and fields, and the problem's body.
void Render(const Reply& reply, std::string_view request_id, http::ResponseHead& head,
            std::string& body);

/// The head of a replay; its body is the response's own.
void RenderReplay(const idempotency::StoredResponse& response, http::ResponseHead& head);

}  // namespace idem::exchange
