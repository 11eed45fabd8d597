#include "proxy/exchange/rules/problem_replies.h"

#include <algorithm>
#include <charconv>

#include "proxy/http/problem.h"

namespace idem::exchange {

namespace {

using idempotency::ProblemKind;
using idempotency::RecordStanding;
using std::chrono::seconds;

std::string_view DecimalText(std::int64_t value, char (&buffer)[24]) {
  return {buffer, static_cast<std::size_t>(
                      std::to_chars(buffer, buffer + sizeof buffer, value).ptr - buffer)};
}

ProblemKind KindOf(std::string_view name) {
  if (name == "request-timeout" || name == "overloaded") return ProblemKind::kNotNow;
  if (name == "bad-request") return ProblemKind::kMalformed;
  return ProblemKind::kRefused;  // limits, expectations, codings
}

seconds RoundedUp(std::chrono::milliseconds pause) {
  return std::max(seconds(1), std::chrono::ceil<seconds>(pause));
}

// Adds the caller's options after an unknown outcome.
Reply WithWayOut(Reply reply, std::optional<std::chrono::milliseconds> look_up_in) {
  reply.at.record = look_up_in ? RecordStanding::kLookedUp : RecordStanding::kUnknown;
  if (look_up_in) reply.retry_after = RoundedUp(*look_up_in);
  reply.more = look_up_in ? "The effect may have happened. Send it again with the same key after "
                            "Retry-After: the proxy then looks it up at the backend."
                          : "The effect may have happened. Ask the owner of the backend; sending "
                            "it again changes nothing.";
  return reply;
}

constexpr std::string_view kIfARetry = "If this was meant as a retry, send the bytes of the first.";

std::string_view MismatchDetail(const idempotency::Circumstances& at) {
  if (at.record == RecordStanding::kExecuting) {
    return "The key was used before with another request, which is still being executed.";
  }
  if (at.record == RecordStanding::kUnknown) {
    return "The key was used before with another request, whose outcome is not known.";
  }
  switch (idempotency::Advise(at)) {
    case idempotency::Advice::kNever:
      return "The key was used before with another request, which was executed.";
    case idempotency::Advice::kCorrect:
      return "The key was used before with another request, which was refused: nothing was done. A "
             "corrected request is another one, with a key of its own.";
    default:
      return "The key was used before with another request, which ended with an error.";
  }
}

RecordStanding StandingOf(idempotency::RecordState state) {
  switch (state) {
    case idempotency::RecordState::kExecuting:
      return RecordStanding::kExecuting;
    case idempotency::RecordState::kCompleted:
      return RecordStanding::kCompleted;
    case idempotency::RecordState::kUnknown:
      break;
  }
  return RecordStanding::kUnknown;
}

std::string_view StateText(RecordStanding standing) {
  return standing == RecordStanding::kExecuting   ? "executing"
         : standing == RecordStanding::kCompleted ? "completed"
                                                  : "unknown";
}

std::string TextOf(std::string_view detail, std::string_view more) {
  std::string text(detail);
  if (!more.empty()) text.append(" ").append(more);
  return text;
}

}  // namespace

Reply WithProgress(Reply reply, const RequestProgress& progress) {
  reply.at.written = progress.written;
  reply.at.repeatable = idempotency::IsRepeatable(progress.method);
  reply.at.upstream_idempotent = progress.upstream_idempotent;
  if (idempotency::IsUnprotected(reply.at)) {
    reply.more =
        "The effect may have happened, and no record protects this request: ask the owner of the "
        "backend before it is sent again.";
  }
  return reply;
}

Reply AnsweredHere() { return {.status = 200}; }

Reply BadRequest(std::string_view detail, std::string_view more) {
  return {.status = 400,
          .name = "bad-request",
          .at = {.problem = ProblemKind::kMalformed},
          .detail = detail,
          .more = more};
}

Reply Unreadable(std::uint16_t status, std::string_view name, std::string_view detail) {
  Reply reply{.status = status, .name = name, .at = {.problem = KindOf(name)}, .detail = detail};
  if (status == 503) reply.retry_after = seconds(1);
  return reply;
}

Reply NoRoute() {
  return {.status = 404,
          .name = "no-route",
          .at = {.problem = ProblemKind::kRefused},
          .detail = "No route of this proxy matches the request's host and path."};
}

Reply MethodNotAllowed(std::string allow) {
  return {.status = 405,
          .name = "method-not-allowed",
          .at = {.problem = ProblemKind::kRefused},
          .detail = "The path has a route, but not for this method.",
          .allow = std::move(allow)};
}

Reply NotImplemented(std::string_view detail) {
  return {.status = 501,
          .name = "not-implemented",
          .at = {.problem = ProblemKind::kRefused},
          .detail = detail};
}

Reply BodyTooLarge() {
  return {.status = 413,
          .name = "body-too-large",
          .at = {.problem = ProblemKind::kRefused},
          .detail = "The body is larger than this route takes."};
}

Reply SignatureRefused(std::string_view name, std::string_view scheme) {
  return {.status = 401,
          .name = name,
          .at = {.problem = ProblemKind::kNotNow},
          .detail = "The request is not signed as this route requires.",
          .www_authenticate = scheme};
}

Reply RateLimited(std::chrono::milliseconds until_free) {
  return {.status = 429,
          .name = "rate-limited",
          .at = {.problem = ProblemKind::kNotNow},
          .detail = "Too many requests; send it again after Retry-After.",
          .retry_after = RoundedUp(until_free)};
}

Reply KeyMissing(std::string_view header) {
  return {.status = 400,
          .name = "key-missing",
          .at = {.problem = ProblemKind::kMalformed},
          .detail = "This route needs an idempotency key, in the field",
          .more = header};
}

Reply KeyInvalid(std::string_view reason) {
  return {.status = 400,
          .name = "key-invalid",
          .at = {.problem = ProblemKind::kMalformed},
          .detail = reason};
}

Reply PayloadMismatch(std::uint16_t status, const idempotency::Record& first, StoreTime now,
                      std::string_view mismatch_in) {
  Reply reply{.status = status,
              .name = "payload-mismatch",
              .at = {.problem = ProblemKind::kMismatch,
                     .record = StandingOf(first.state_at(now)),
                     .recorded_status = first.response ? first.response->status : std::uint16_t{}},
              .more = kIfARetry,
              .mismatch_in = mismatch_in};
  reply.detail = MismatchDetail(reply.at);
  reply.first_state = StateText(reply.at.record);
  if (reply.at.record == RecordStanding::kCompleted) reply.first_status = reply.at.recorded_status;
  return reply;
}

Reply InProgress(std::uint16_t status) {
  return {.status = status,
          .name = "in-progress",
          .at = {.problem = ProblemKind::kInProgress, .record = RecordStanding::kExecuting},
          .detail = "The first request with this key is still being executed.",
          .retry_after = seconds(1)};
}

// A client classes by the status: a 4xx would read as a refusal, after which it pays again.
Reply OutcomeUnknown(std::uint16_t status, std::optional<std::chrono::milliseconds> look_up_in) {
  if (status == 0) status = look_up_in ? 503 : 504;
  return WithWayOut({.status = status,
                     .name = "outcome-unknown",
                     .at = {.problem = ProblemKind::kOutcomeUnknown},
                     .detail = "The outcome of the first request with this key is not known."},
                    look_up_in);
}

Reply ResponseNotKept(std::uint16_t executed_status) {
  return {.status = 409,
          .name = "response-not-kept",
          .at = {.problem = ProblemKind::kNotKept},
          .detail = "The request was executed; its response was too large to be kept.",
          .executed_status = executed_status};
}

Reply StoreUnavailable() {
  return {.status = 503,
          .name = "store-unavailable",
          .at = {.problem = ProblemKind::kNotNow},
          .detail = "The record of the key cannot be read or written now; nothing was forwarded.",
          .retry_after = seconds(1)};
}

Reply Overloaded() {
  return {.status = 503,
          .name = "overloaded",
          .at = {.problem = ProblemKind::kNotNow},
          .detail = "Too many requests are under way; nothing was forwarded.",
          .retry_after = seconds(1)};
}

Reply Draining() {
  return {.status = 503,
          .name = "draining",
          .at = {.problem = ProblemKind::kNotNow},
          .detail = "This proxy is shutting down; nothing was forwarded.",
          .retry_after = seconds(1)};
}

Reply UpstreamFailed(ports::UpstreamProblem problem) {
  const auto is = [](std::uint16_t status, std::string_view name, std::string_view detail) {
    return Reply{.status = status,
                 .name = name,
                 .at = {.problem = ProblemKind::kUpstreamFailed},
                 .detail = detail};
  };
  switch (problem) {
    case ports::UpstreamProblem::kUnreachable:
      return is(502, "upstream-unreachable", "The backend cannot be reached; nothing was sent.");
    case ports::UpstreamProblem::kTimeout:
      return is(504, "upstream-timeout", "The backend did not answer in time.");
    case ports::UpstreamProblem::kReset:
      return is(502, "upstream-reset",
                "The backend ended the connection before its answer was complete.");
    case ports::UpstreamProblem::kMalformed:
      return is(502, "upstream-malformed", "The backend's answer is not valid HTTP.");
    case ports::UpstreamProblem::kOverloaded:
    case ports::UpstreamProblem::kAbandoned:
      break;
  }
  return Overloaded();
}

Reply UpstreamFailedUnknown(ports::UpstreamProblem problem,
                            std::optional<std::chrono::milliseconds> look_up_in) {
  return WithWayOut(UpstreamFailed(problem), look_up_in);
}

void Render(const Reply& reply, std::string_view request_id, http::ResponseHead& head,
            std::string& body) {
  char buffer[24];
  head.Clear();
  body.clear();
  head.status = reply.status;
  if (reply.name.empty()) {
    head.body = http::BodyLength::Known(0);
    return;
  }
  head.fields.Add("Content-Type", http::kProblemMediaType);
  if (reply.retry_after) {
    head.fields.Add("Retry-After", DecimalText(reply.retry_after->count(), buffer));
  }
  if (!reply.allow.empty()) head.fields.Add("Allow", reply.allow);
  if (!reply.www_authenticate.empty()) head.fields.Add("WWW-Authenticate", reply.www_authenticate);
  if (idempotency::IsUnprotected(reply.at)) head.fields.Add("Idempotency-Status", "unprotected");
  const std::string detail = TextOf(reply.detail, reply.more);
  http::AppendProblem({.status = reply.status,
                       .name = reply.name,
                       .title = {},
                       .detail = detail,
                       .request_id = request_id,
                       .retry = idempotency::AdviceText(idempotency::Advise(reply.at)),
                       .executed_status = reply.executed_status,
                       .first_state = reply.first_state,
                       .first_status = reply.first_status,
                       .mismatch_in = reply.mismatch_in},
                      body);
  head.body = http::BodyLength::Known(body.size());
}

void RenderReplay(const idempotency::StoredResponse& response, http::ResponseHead& head) {
  head.Clear();
  head.status = response.status;
  for (const http::FieldLine line : response.fields) head.fields.Add(line.name, line.value);
  head.fields.Set("Idempotent-Replayed", "true");
}

}  // namespace idem::exchange
