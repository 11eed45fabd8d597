#include "proxy/admin/record_json.h"

#include <chrono>
#include <cstdio>

#include "proxy/base/json_writer.h"
#include "proxy/idempotency/key.h"
#include "proxy/idempotency/lease.h"

namespace idem::admin {

using idempotency::Record;
using idempotency::RecordState;

namespace {

/// Writes one JSON object. Each member is appended with a comma; Close() replaces the last comma.
class ObjectText {
 public:
  explicit ObjectText(std::string& to) : to_(to) { to_ += '{'; }

  ObjectText& Text(std::string_view name, std::string_view value) {
    Name(name);
    AppendJsonString(value, to_);
    to_ += ',';
    return *this;
  }
  ObjectText& Number(std::string_view name, std::int64_t value) {
    Name(name);
    to_.append(std::to_string(value)) += ',';
    return *this;
  }
  ObjectText& Flag(std::string_view name, bool value) {
    Name(name);
    to_.append(value ? "true" : "false") += ',';
    return *this;
  }
  void Close() { to_.back() = '}'; }

 private:
  void Name(std::string_view name) { to_.append("\"").append(name).append("\":"); }

  std::string& to_;
};

// Returns the time as RFC 3339 in UTC.
std::string TimeText(StoreTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[40];
  const int size = std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

std::string_view StateText(RecordState state) {
  switch (state) {
    case RecordState::kExecuting:
      return "executing";
    case RecordState::kCompleted:
      return "completed";
    case RecordState::kUnknown:
      break;
  }
  return "unknown";
}

void AppendRecordJson(std::string_view record_key, const Record& record, StoreTime now,
                      std::string& to) {
  const RecordState state = record.state_at(now);
  const auto lease_left =
      idempotency::IsAlive(record, now) ? record.lease_ends_at - now : idempotency::Milliseconds(0);
  ObjectText object(to);
  object.Text("key_hash", idempotency::KeyHash(record_key))
      .Text("record_key", record_key)
      .Text("state", StateText(state))
      .Text("token", record.claim.token.ToHex())
      .Text("route", record.claim.route)
      .Text("client", record.claim.client)
      .Flag("upstream_idempotent", record.claim.upstream_idempotent)
      .Text("begun_at", TimeText(record.begun_at))
      .Text("lease_ends_at", TimeText(record.lease_ends_at))
      .Text("expires_at", TimeText(record.expires_at))
      .Number("age_ms", (now - record.begun_at).count())
      .Number("lease_left_ms", lease_left.count());
  if (record.response) {
    object.Number("status", record.response->status)
        .Number("body_bytes", static_cast<std::int64_t>(record.response->body.size()))
        .Flag("body_kept", record.response->body_kept);
  }
  object.Close();
}

}  // namespace idem::admin
