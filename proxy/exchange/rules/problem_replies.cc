#include "proxy/exchange/rules/problem_replies.h"

#include <algorithm>
#include <charconv>

#include "proxy/http/problem.h"

namespace idem::exchange {

namespace {

using std::chrono::seconds;

std::string_view RetryText(Retry retry) {
  switch (retry) {
    case Retry::kSameKey:
      return "same-key";
    case Retry::kNewKey:
      return "new-key";
    case Retry::kSettle:
      return "settle";
    case Retry::kNever:
      break;
  }
  return "never";
}

std::string_view DecimalText(std::int64_t value, char (&buffer)[24]) {
  return {buffer, static_cast<std::size_t>(
                      std::to_chars(buffer, buffer + sizeof buffer, value).ptr - buffer)};
}

Retry RetryOf(std::string_view name) {
  if (name == "request-timeout") return Retry::kSameKey;
  if (name == "overloaded") return Retry::kSameKey;
  if (name == "bad-request") return Retry::kNewKey;
  return Retry::kNever;  // limits, expectations, codings
}

seconds RoundedUp(std::chrono::milliseconds pause) {
  return std::max(seconds(1), std::chrono::ceil<seconds>(pause));
}

// Adds the caller's options after an unknown outcome.
Reply WithWayOut(Reply reply, std::optional<std::chrono::milliseconds> look_up_in) {
  reply.retry = look_up_in ? Retry::kSameKey : Retry::kSettle;
  if (look_up_in) reply.retry_after = RoundedUp(*look_up_in);
  reply.more = look_up_in ? "The effect may have happened. Send it again with the same key after "
                            "Retry-After: the proxy then looks it up at the backend."
                          : "The effect may have happened. Ask the owner of the backend; sending "
                            "it again changes nothing.";
  return reply;
}

std::string TextOf(std::string_view detail, std::string_view more) {
  std::string text(detail);
  if (!more.empty()) text.append(" ").append(more);
  return text;
}

}  // namespace

Reply AnsweredHere() { return {.status = 200}; }

Reply BadRequest(std::string_view detail, std::string_view more) {
  return {.status = 400,
          .name = "bad-request",
          .retry = Retry::kNewKey,
          .detail = detail,
          .more = more};
}

Reply Unreadable(std::uint16_t status, std::string_view name, std::string_view detail) {
  Reply reply{.status = status, .name = name, .retry = RetryOf(name), .detail = detail};
  if (status == 503) reply.retry_after = seconds(1);
  return reply;
}

Reply NoRoute() {
  return {.status = 404,
          .name = "no-route",
          .retry = Retry::kNever,
          .detail = "No route of this proxy matches the request's host and path."};
}

Reply MethodNotAllowed(std::string allow) {
  return {.status = 405,
          .name = "method-not-allowed",
          .retry = Retry::kNever,
          .detail = "The path has a route, but not for this method.",
          .allow = std::move(allow)};
}

Reply NotImplemented(std::string_view detail) {
  return {.status = 501, .name = "not-implemented", .retry = Retry::kNever, .detail = detail};
}

Reply BodyTooLarge() {
  return {.status = 413,
          .name = "body-too-large",
          .retry = Retry::kNever,
          .detail = "The body is larger than this route takes."};
}

Reply SignatureRefused(std::string_view name, std::string_view scheme) {
  return {.status = 401,
          .name = name,
          .retry = Retry::kSameKey,
          .detail = "The request is not signed as this route requires.",
          .www_authenticate = scheme};
}

Reply RateLimited(std::chrono::milliseconds until_free) {
  return {.status = 429,
          .name = "rate-limited",
          .retry = Retry::kSameKey,
          .detail = "Too many requests; send it again after Retry-After.",
          .retry_after = RoundedUp(until_free)};
}

Reply KeyMissing(std::string_view header) {
  return {.status = 400,
          .name = "key-missing",
          .retry = Retry::kNewKey,
          .detail = "This route needs an idempotency key, in the field",
          .more = header};
}

Reply KeyInvalid(std::string_view reason) {
  return {.status = 400, .name = "key-invalid", .retry = Retry::kNewKey, .detail = reason};
}

Reply PayloadMismatch(std::uint16_t status) {
  return {.status = status,
          .name = "payload-mismatch",
          .retry = Retry::kNewKey,
          .detail = "The key was used before with another request; send this one with a new key."};
}

Reply InProgress() {
  return {.status = 409,
          .name = "in-progress",
          .retry = Retry::kSameKey,
          .detail = "The first request with this key is still being executed.",
          .retry_after = seconds(1)};
}

Reply OutcomeUnknown(std::optional<std::chrono::milliseconds> look_up_in) {
  return WithWayOut({.status = 409,
                     .name = "outcome-unknown",
                     .detail = "The outcome of the first request with this key is not known."},
                    look_up_in);
}

Reply ResponseNotKept(std::uint16_t executed_status) {
  return {.status = 409,
          .name = "response-not-kept",
          .retry = Retry::kNever,
          .detail = "The request was executed; its response was too large to be kept.",
          .executed_status = executed_status};
}

Reply StoreUnavailable() {
  return {.status = 503,
          .name = "store-unavailable",
          .retry = Retry::kSameKey,
          .detail = "The record of the key cannot be read or written now; nothing was forwarded.",
          .retry_after = seconds(1)};
}

Reply Overloaded() {
  return {.status = 503,
          .name = "overloaded",
          .retry = Retry::kSameKey,
          .detail = "Too many requests are under way; nothing was forwarded.",
          .retry_after = seconds(1)};
}

Reply Draining() {
  return {.status = 503,
          .name = "draining",
          .retry = Retry::kSameKey,
          .detail = "This proxy is shutting down; nothing was forwarded.",
          .retry_after = seconds(1)};
}

Reply UpstreamFailed(ports::UpstreamProblem problem) {
  const auto is = [](std::uint16_t status, std::string_view name, std::string_view detail) {
    return Reply{.status = status, .name = name, .retry = Retry::kSameKey, .detail = detail};
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
  const std::string detail = TextOf(reply.detail, reply.more);
  http::AppendProblem({.status = reply.status,
                       .name = reply.name,
                       .title = {},
                       .detail = detail,
                       .request_id = request_id,
                       .retry = RetryText(reply.retry),
                       .executed_status = reply.executed_status},
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
