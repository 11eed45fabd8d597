#include "proxy/admin/records_request.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "proxy/admin/record_json.h"
#include "proxy/base/hex.h"
#include "proxy/base/json_writer.h"
#include "proxy/base/log.h"
#include "proxy/idempotency/key.h"

namespace idem::admin {

using idempotency::Milliseconds;
using idempotency::Record;
using idempotency::RecordState;
using ports::ReadResult;
using ports::RecordPage;
using ports::TransitionResult;

namespace {

constexpr std::size_t kKeyHashDigits = 16;
constexpr std::size_t kReasonMax = 1000;

std::optional<std::uint64_t> ReadNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

bool IsKeyHash(std::string_view text) {
  return text.size() == kKeyHashDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What a field's value may hold, so that a replay can be written.
bool IsFieldValue(std::string_view text) {
  return !text.empty() && text.front() != ' ' && text.back() != ' ' &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

// ---- Every request ------------------------------------------------------------------------------

void RecordsRequest::OnClientGone() {
  stream_ = nullptr;
  Finish();
}

void RecordsRequest::Answer(std::uint16_t status, std::string_view json) {
  if (stream_ != nullptr) {
    http::ResponseHead head;
    head.status = status;
    head.fields.Add("Content-Type", "application/json");
    head.fields.Add("Cache-Control", "no-store");
    if (status == 405) head.fields.Add("Allow", method());
    head.body = http::BodyLength::Known(json.size());
    http::ServerStream& stream = *std::exchange(stream_, nullptr);
    stream.SendHead(head);
    stream.SendBody(json);
    stream.End();
  }
  Finish();
}

void RecordsRequest::Refuse(std::uint16_t status, std::string_view name, std::string_view detail,
                            std::string_view record_json) {
  std::string json = "{\"error\":";
  AppendJsonString(name, json);
  json += ",\"detail\":";
  AppendJsonString(detail, json);
  if (!record_json.empty()) json.append(",\"record\":").append(record_json);
  Answer(status, json += "}\n");
}

void RecordsRequest::RefuseStore(const Error& error) {
  const bool invalid = error.code == ErrorCode::kInvalid;
  Refuse(invalid ? 400 : 503, invalid ? "bad-request" : "store-unavailable", error.detail);
}

void RecordsRequest::Finish() {
  auto self = std::move(*self_);
  api_.requests_.erase(self_);
  question_.Withdraw();
  api_.loop_.DeleteLater(std::move(self));
}

// ---- GET ----------------------------------------------------------------------------------------

void ListRequest::Start(const http::RequestHead& head) {
  if (head.method != method()) return Refuse(405, "method-not-allowed", "a list is asked with GET");
  const auto query = Query::Parse(head.target);
  if (!query) return Refuse(400, "bad-request", "the query cannot be read");
  const std::string_view unknown = query->UnknownName(
      {"state", "min_age_ms", "route", "client", "limit", "cursor", "key_hash", "record_key"});
  if (!unknown.empty()) {
    return Refuse(400, "bad-request", "there is no parameter " + std::string(unknown));
  }
  if (const auto record_key = query->Find("record_key"); !record_key.empty()) {
    return LookAt(std::string(record_key));
  }
  if (ReadFilter(*query)) Step();
}

bool ListRequest::ReadFilter(const Query& query) {
  const auto wrong = [&](std::string_view detail) {
    return Refuse(400, "bad-request", detail), false;
  };
  filter_.route = query.Find("route");
  filter_.client = query.Find("client");
  filter_.key_hash = query.Find("key_hash");
  cursor_ = query.Find("cursor");
  if (!filter_.key_hash.empty() && !IsKeyHash(filter_.key_hash)) {
    return wrong("key_hash is 16 digits from 0 to 9 and a to f, as the log shows it");
  }
  const std::string_view state = query.Find("state");
  if (state == "unknown") filter_.state = RecordState::kUnknown;
  if (state == "executing") filter_.state = RecordState::kExecuting;
  if (!state.empty() && !filter_.state) return wrong("state is unknown or executing");
  if (const auto text = query.Find("min_age_ms"); !text.empty()) {
    const auto age = ReadNumber(text);
    constexpr std::uint64_t kAgeMax = 1ULL << 53;
    if (!age || *age > kAgeMax) return wrong("min_age_ms is a whole number of milliseconds");
    filter_.age_min = Milliseconds(static_cast<std::int64_t>(*age));
  }
  if (const auto text = query.Find("limit"); !text.empty()) {
    const auto limit = ReadNumber(text);
    if (!limit || *limit == 0 || *limit > kLimitMax) return wrong("limit is from 1 to 1000");
    limit_ = *limit;
  }
  if (!filter_.key_hash.empty()) limit_ = 1;
  return true;
}

void ListRequest::LookAt(const std::string& record_key) {
  question_ = api_.records_.Read(record_key, [this, record_key](const Result<ReadResult>& read) {
    if (!read) return RefuseStore(read.error());
    if (read->record) AppendRecordJson(record_key, *read->record, read->now, found_json_);
    AnswerFound();
  });
}

void ListRequest::Step() {
  ++steps_;
  question_ = api_.index_.List(filter_, cursor_, [this](Result<RecordPage> answer) {
    if (!answer) return RefuseStore(answer.error());
    OnStep(std::move(*answer));
  });
}

void ListRequest::OnStep(RecordPage answer) {
  for (const ports::FoundRecord& found : answer.found) {
    if (found_++ > 0) found_json_ += ',';
    AppendRecordJson(found.record_key, found.record, answer.now, found_json_);
  }
  cursor_ = std::move(answer.cursor);
  if (cursor_.empty() || found_ >= limit_ || steps_ >= kStepsMax) return AnswerFound();
  Step();
}

void ListRequest::AnswerFound() {
  std::string json = "{\"records\":[" + found_json_ + "],\"cursor\":";
  AppendJsonString(cursor_, json);
  Answer(200, json += "}\n");
}

// ---- POST ---------------------------------------------------------------------------------------

// A page in a browser can make it send a POST here, but not one of this type: a browser asks
// first, and is told no. Nor does it leave out Origin.
void SettleRequest::Start(const http::RequestHead& head) {
  if (head.method != method()) return Refuse(405, "method-not-allowed", "this is asked with POST");
  const std::string_view type = head.fields.Find("Content-Type").value_or("");
  if (!http::EqualsIgnoreCase(type.substr(0, type.find(';')), "application/json") ||
      head.fields.Find("Origin")) {
    return Refuse(415, "unsupported-media-type", "the body must be application/json");
  }
  using Kind = http::BodyLength::Kind;
  const bool empty =
      head.body.kind == Kind::kNone || (head.body.kind == Kind::kKnown && head.body.bytes == 0);
  if (empty) return Refuse(400, "bad-request", "there is no body");
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
      return wrong("there is no member " + name);
    }
  }
  const auto record_key = body["record_key"].text();
  if (!record_key || record_key->empty()) return wrong("record_key is missing");
  const auto token = body["token"].text();
  if (!token || !FromHex(*token, token_.bytes)) {
    return wrong("token must be the 32 digits that `records show` shows");
  }
  const auto reason = body["reason"].text();
  if (!reason || reason->find_first_not_of(" \t\r\n") == reason->npos ||
      reason->size() > kReasonMax) {
    return wrong("reason must say in 1 to 1000 characters why; it stands in the log");
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
    return wrong("status must be the one that callers get, from 200 to 599");
  }
  response_->status = static_cast<std::uint16_t>(*status);
  const JsonValue& content = body["body"];
  if (content.kind() != JsonValue::Kind::kNull && !content.text()) return wrong("body is a text");
  response_->body = content.text().value_or("");
  if (!response_->body.empty() && http::HasNoBody("POST", response_->status)) {
    return wrong("a response with this status has no body");
  }
  const std::string_view type = body["content_type"].text().value_or("application/json");
  if (!IsFieldValue(type)) return wrong("content_type is not the value of a field");
  if (!response_->body.empty()) response_->fields.Add("Content-Type", type);
  return true;
}

void SettleRequest::Act() {
  asked_ = true;
  question_ = api_.records_.Read(record_key_, [this](const Result<ReadResult>& read) {
    if (read) return OnRead(*read);
    Log("failed");
    RefuseStore(read.error());
  });
}

void SettleRequest::OnRead(const ReadResult& read) {
  if (!read.record) {
    Log("not_found");
    return Refuse(404, "not-found", "there is no record under this key");
  }
  claim_ = read.record->claim;
  if (claim_.token != token_) return RefuseHeld(*read.record, read.now);
  auto on_answer = [this](const Result<TransitionResult>& answer) {
    if (answer) return OnApplied(*answer);
    Log("failed");
    Refuse(503, "store-unavailable",
           answer.error().detail +
               "; it is not known whether the record was changed: look "
               "at it again");
  };
  ports::Transition transition{
      .kind = ports::Transition::Kind::kReleaseUnknown, .record_key = record_key_, .claim = claim_};
  if (action_ == Action::kResolve) {
    transition.kind = ports::Transition::Kind::kResolveUnknown;
    transition.response = response_;
    transition.ttl = api_.ttl_of_(claim_.route);
  }
  question_ = api_.records_.Apply(transition, std::move(on_answer));
}

void SettleRequest::OnApplied(const TransitionResult& answer) {
  if (answer.kind == TransitionResult::Kind::kGone) {
    Log("not_found");
    return Refuse(404, "not-found", "the record has gone meanwhile");
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
                  "the record carries another token than the one given: it has changed since it "
                  "was shown. Look at it again.",
                  json);
  }
  if (record.state == RecordState::kCompleted) {
    return Refuse(409, "completed", "the record is completed; what callers were told stays", json);
  }
  Refuse(409, "lease-alive",
         "somebody executes this request: its lease ends in " +
             std::to_string((record.lease_ends_at - now).count()) + " ms. Try again then.",
         json);
}

// One line for each act: who, why, and what became of it. Whatever the log leaves out, not this.
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
