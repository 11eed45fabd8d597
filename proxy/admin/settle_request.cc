#include "proxy/admin/settle_request.h"

#include <algorithm>
#include <utility>

#include "proxy/admin/record_json.h"
#include "proxy/base/hex.h"
#include "proxy/base/log.h"
#include "proxy/idempotency/key.h"

namespace idem::admin {

using idempotency::Record;
using idempotency::RecordState;
using ports::ReadResult;
using ports::TransitionResult;

namespace {

constexpr std::size_t kReasonMax = 1000;

// True if the text can be written as a field's value in a replay.
bool IsFieldValue(std::string_view text) {
  return !text.empty() && text.front() != ' ' && text.back() != ' ' &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

// Keeps web pages out. A page can make a browser send a POST here, but the browser then adds
// Origin, and it sends this content type only after a preflight request, which fails.
void SettleRequest::Start(const http::RequestHead& head) {
  if (head.method != method()) return Refuse(405, "method-not-allowed", "use POST");
  const std::string_view type = head.fields.Find("Content-Type").value_or("");
  if (!http::EqualsIgnoreCase(type.substr(0, type.find(';')), "application/json") ||
      head.fields.Find("Origin")) {
    return Refuse(415, "unsupported-media-type", "the body must be application/json");
  }
  using Kind = http::BodyLength::Kind;
  const bool empty =
      head.body.kind == Kind::kNone || (head.body.kind == Kind::kKnown && head.body.bytes == 0);
  if (empty) return Refuse(400, "bad-request", "the body is missing");
  stream_->ResumeBody();
}

void SettleRequest::OnBody(std::string_view bytes) {
  if (stream_ == nullptr) return;
  if (body_.size() + bytes.size() > kBodyMax) {
    return Refuse(413, "body-too-large", "the body is larger than 2 MiB");
  }
  body_ += bytes;
}

void SettleRequest::OnBodyEnd() {
  if (stream_ == nullptr) return;
  const auto body = JsonValue::Parse(body_);
  if (!body) return Refuse(400, "bad-request", "the body is not JSON");
  if (!Read(*body)) return;
  Act();
}

void SettleRequest::OnClientGone() {
  stream_ = nullptr;
  if (!asked_) Finish();
}

bool SettleRequest::Read(const JsonValue& body) {
  const auto wrong = [&](std::string_view detail) {
    return Refuse(400, "bad-request", detail), false;
  };
  for (const auto& [name, value] : body.members()) {
    constexpr std::string_view kKnown[] = {"record_key", "token",        "reason",
                                           "status",     "content_type", "body"};
    if (std::ranges::find(kKnown, name) == std::end(kKnown)) {
      return wrong("unknown member " + name);
    }
  }
  const auto record_key = body["record_key"].text();
  if (!record_key || record_key->empty()) return wrong("record_key is missing");
  const auto token = body["token"].text();
  if (!token || !FromHex(*token, token_.bytes)) {
    return wrong("token must be the 32 digits that `records show` prints");
  }
  const auto reason = body["reason"].text();
  if (!reason || reason->find_first_not_of(" \t\r\n") == reason->npos ||
      reason->size() > kReasonMax) {
    return wrong("reason must be 1 to 1000 characters; it is written to the log");
  }
  record_key_ = *record_key;
  reason_ = *reason;
  return action_ == Action::kRelease || ReadResponse(body);
}

bool SettleRequest::ReadResponse(const JsonValue& body) {
  const auto wrong = [&](std::string_view detail) {
    return Refuse(400, "bad-request", detail), false;
  };
  const auto status = body["status"].whole_number();
  if (!status || *status < 200 || *status > 599) {
    return wrong("status must be the status that callers get, from 200 to 599");
  }
  response_->status = static_cast<std::uint16_t>(*status);
  const JsonValue& content = body["body"];
  if (content.kind() != JsonValue::Kind::kNull && !content.text())
    return wrong("body must be a string");
  response_->body = content.text().value_or("");
  if (!response_->body.empty() && http::HasNoBody("POST", response_->status)) {
    return wrong("a response with this status has no body");
  }
  const std::string_view type = body["content_type"].text().value_or("application/json");
  if (!IsFieldValue(type)) return wrong("content_type is not a valid field value");
  if (!response_->body.empty()) response_->fields.Add("Content-Type", type);
  return true;
}

void SettleRequest::Act() {
  asked_ = true;
  question_ = records_.Read(record_key_, [this](const Result<ReadResult>& read) {
    if (read) return OnRead(*read);
    Log("failed");
    RefuseStore(read.error());
  });
}

void SettleRequest::OnRead(const ReadResult& read) {
  if (!read.record) {
    Log("not_found");
    return Refuse(404, "not-found", "no record has this key");
  }
  claim_ = read.record->claim;
  if (claim_.token != token_) return RefuseHeld(*read.record, read.now);
  auto on_answer = [this](const Result<TransitionResult>& answer) {
    if (answer) return OnApplied(*answer);
    Log("failed");
    Refuse(
        503, "store-unavailable",
        answer.error().detail + "; the record may or may not have been changed. Look at it again");
  };
  ports::Transition transition{
      .kind = ports::Transition::Kind::kReleaseUnknown, .record_key = record_key_, .claim = claim_};
  if (action_ == Action::kResolve) {
    transition.kind = ports::Transition::Kind::kResolveUnknown;
    transition.response = response_;
    transition.ttl = ttl_of_(claim_.route);
  }
  question_ = records_.Apply(transition, std::move(on_answer));
}

void SettleRequest::OnApplied(const TransitionResult& answer) {
  if (answer.kind == TransitionResult::Kind::kGone) {
    Log("not_found");
    return Refuse(404, "not-found", "the record no longer exists");
  }
  if (answer.record) return RefuseHeld(*answer.record, answer.now);
  const std::string_view outcome = action_ == Action::kRelease ? "released" : "resolved";
  Log(outcome);
  Answer(200, R"({"outcome":")" + std::string(outcome) + "\"}\n");
}

void SettleRequest::RefuseHeld(const Record& record, StoreTime now) {
  std::string json;
  AppendRecordJson(record_key_, record, now, json);
  Log("refused");
  if (record.claim.token != token_) {
    return Refuse(409, "token-differs",
                  "the record's token differs from the token given: the record has changed since "
                  "it was shown. Look at it again.",
                  json);
  }
  if (record.state == RecordState::kCompleted) {
    return Refuse(409, "completed", "the record is completed; its response cannot change", json);
  }
  Refuse(409, "lease-alive",
         "the request is still being executed: its lease ends in " +
             std::to_string((record.lease_ends_at - now).count()) + " ms. Try again then.",
         json);
}

// Logs the operator's action and its outcome. Raises the level to `error` if the log leaves out
// warnings, so that this line is always written.
void SettleRequest::Log(std::string_view outcome) {
  const auto level = log::enabled(log::Level::kWarn) ? log::Level::kWarn : log::Level::kError;
  const std::string key_hash = idempotency::KeyHash(record_key_);
  const std::string token = token_.ToHex();
  log::Write(level, "record_settled",
             {{"action", action_ == Action::kRelease ? "release" : "resolve"},
              {"outcome", outcome},
              {"key_hash", std::string_view(key_hash)},
              {"token", std::string_view(token)},
              {"route", std::string_view(claim_.route)},
              {"status", std::int64_t{response_->status}},
              {"reason", std::string_view(reason_)},
              {"address", std::string_view(address_)}});
}

}  // namespace idem::admin
