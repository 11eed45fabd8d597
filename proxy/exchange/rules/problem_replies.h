// Turns a decision or an error into a status code. This is the only such place; it implements the
// table "Answers the proxy makes itself" of semantics.md.
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

/// An answer of the proxy's own.
struct Reply {
  std::uint16_t status = 500;
  std::string_view name{};  // the NAME of semantics.md; if empty, the answer has no body
  /// The circumstances from which idempotency::Advise() makes the member `retry`.
  idempotency::Circumstances at{};
  std::string_view detail{};  // shown to the caller: no secret, no backend address
  std::string_view more{};    // appended to `detail`
  std::optional<std::chrono::seconds> retry_after{};
  std::string allow{};                             // set for 405
  std::string_view www_authenticate{};             // set for 401
  std::optional<std::uint16_t> executed_status{};  // set for response-not-kept
  std::string_view first_state{};                  // set for payload-mismatch
  std::optional<std::uint16_t> first_status{};     // set for payload-mismatch, if completed
  std::string_view mismatch_in{};  // set for payload-mismatch; valid until it is rendered
};

/// How far the exchange has got with its own request, which is part of the circumstances.
struct RequestProgress {
  bool written = false;  // a byte of it was written to the backend
  std::string_view method;
  bool upstream_idempotent = false;  // the backend drops duplicates of it
};
/// Returns the reply with the progress in its circumstances.
[[nodiscard]] Reply WithProgress(Reply reply, const RequestProgress& progress);

/// Answers a request with Max-Forwards: 0.
[[nodiscard]] Reply AnsweredHere();
/// Appends `more` to the detail. `more` must be valid until the reply is rendered.
[[nodiscard]] Reply BadRequest(std::string_view detail, std::string_view more = {});
/// Answers a message that a parser or the body's reader refused.
[[nodiscard]] Reply Unreadable(std::uint16_t status, std::string_view name,
                               std::string_view detail);
[[nodiscard]] Reply NoRoute();
[[nodiscard]] Reply MethodNotAllowed(std::string allow);
[[nodiscard]] Reply NotImplemented(std::string_view detail);
[[nodiscard]] Reply BodyTooLarge();
[[nodiscard]] Reply SignatureRefused(std::string_view name, std::string_view scheme);
[[nodiscard]] Reply RateLimited(std::chrono::milliseconds until_free);
/// `header` is the name of the missing field. It must stay valid until the reply is rendered.
[[nodiscard]] Reply KeyMissing(std::string_view header);
[[nodiscard]] Reply KeyInvalid(std::string_view reason);
/// `first` is the record that holds the key at `now`.
[[nodiscard]] Reply PayloadMismatch(std::uint16_t status, const idempotency::Record& first,
                                    StoreTime now, std::string_view mismatch_in);
/// `status` is `in_progress_status` of the policy.
[[nodiscard]] Reply InProgress(std::uint16_t status);
/// `look_up_in` is the time after which a repeated request may settle the outcome (`reconcile`). It
/// is null if only the backend's owner can settle it. `status` is `unknown_status` of the policy.
[[nodiscard]] Reply OutcomeUnknown(std::uint16_t status,
                                   std::optional<std::chrono::milliseconds> look_up_in);
[[nodiscard]] Reply ResponseNotKept(std::uint16_t executed_status);
[[nodiscard]] Reply StoreUnavailable();
[[nodiscard]] Reply Overloaded();
[[nodiscard]] Reply Draining();
/// Answers a failure that released the claim, or that had none.
[[nodiscard]] Reply UpstreamFailed(ports::UpstreamProblem problem);
/// Answers a failure that made the claim unknown.
[[nodiscard]] Reply UpstreamFailedUnknown(ports::UpstreamProblem problem,
                                          std::optional<std::chrono::milliseconds> look_up_in);

/// Renders `reply` into the head's status and fields and the problem's body.
void Render(const Reply& reply, std::string_view request_id, http::ResponseHead& head,
            std::string& body);

/// Renders the head of a replay. Its body is the recorded one.
void RenderReplay(const idempotency::StoredResponse& response, http::ResponseHead& head);

}  // namespace idem::exchange
