#include "proxy/admin/list_request.h"

#include <charconv>
#include <optional>
#include <utility>

#include "proxy/admin/record_json.h"
#include "proxy/base/json_writer.h"

namespace idem::admin {

using idempotency::Milliseconds;
using idempotency::RecordState;
using ports::ReadResult;
using ports::RecordPage;

namespace {

constexpr std::size_t kKeyHashDigits = 16;

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

}  // namespace

void ListRequest::Start(const http::RequestHead& head) {
  if (head.method != method()) return Refuse(405, "method-not-allowed", "use GET to list records");
  const auto query = Query::Parse(head.target);
  if (!query) return Refuse(400, "bad-request", "the query cannot be read");
  const std::string_view unknown = query->UnknownName(
      {"state", "min_age_ms", "route", "client", "limit", "cursor", "key_hash", "record_key"});
  if (!unknown.empty()) {
    return Refuse(400, "bad-request", "unknown parameter " + std::string(unknown));
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
    return wrong("key_hash must be 16 digits from 0 to 9 and a to f, as the log shows it");
  }
  const std::string_view state = query.Find("state");
  if (state == "unknown") filter_.state = RecordState::kUnknown;
  if (state == "executing") filter_.state = RecordState::kExecuting;
  if (!state.empty() && !filter_.state) return wrong("state must be unknown or executing");
  if (const auto text = query.Find("min_age_ms"); !text.empty()) {
    const auto age = ReadNumber(text);
    constexpr std::uint64_t kAgeMax = 1ULL << 53;
    if (!age || *age > kAgeMax) return wrong("min_age_ms must be a whole number of milliseconds");
    filter_.age_min = Milliseconds(static_cast<std::int64_t>(*age));
  }
  if (const auto text = query.Find("limit"); !text.empty()) {
    const auto limit = ReadNumber(text);
    if (!limit || *limit == 0 || *limit > kLimitMax) return wrong("limit must be from 1 to 1000");
    limit_ = *limit;
  }
  if (!filter_.key_hash.empty()) limit_ = 1;
  return true;
}

void ListRequest::LookAt(const std::string& record_key) {
  question_ = records_.Read(record_key, [this, record_key](const Result<ReadResult>& read) {
    if (!read) return RefuseStore(read.error());
    if (read->record) AppendRecordJson(record_key, *read->record, read->now, found_json_);
    AnswerFound();
  });
}

void ListRequest::Step() {
  ++steps_;
  question_ = index_.List(filter_, cursor_, [this](Result<RecordPage> answer) {
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

}  // namespace idem::admin
