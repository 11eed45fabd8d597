#include "proxy/admin/record_json.h"

#include <doctest/doctest.h>

#include "proxy/base/json.h"
#include "tests/contract/samples.h"

namespace idem::admin {

using std::chrono::milliseconds;

namespace {

constexpr StoreTime kBegun{std::chrono::hours(24 * 365)};  // 1971-01-01

JsonValue Shown(const idempotency::Record& record, StoreTime now) {
  std::string text;
  AppendRecordJson("client=a;\"k\"", record, now, text);
  CAPTURE(text);
  auto json = JsonValue::Parse(text);
  REQUIRE(json.has_value());
  return std::move(*json);
}

}  // namespace

TEST_CASE("a record is shown with the state and the times that an operator decides by") {
  idempotency::Claim claim = contract::NewClaim();
  claim.lease = milliseconds(60'000);
  const auto executing = idempotency::MakeExecuting(claim, kBegun);
  const JsonValue alive = Shown(executing, kBegun + milliseconds(1234));
  CHECK(alive["record_key"].text() == "client=a;\"k\"");
  CHECK(alive["state"].text() == "executing");
  CHECK(alive["token"].text() == claim.token.ToHex());
  CHECK(alive["route"].text() == "orders");
  CHECK(alive["begun_at"].text() == "1971-01-01T00:00:00.000Z");
  CHECK(alive["lease_ends_at"].text() == "1971-01-01T00:01:00.000Z");
  CHECK(alive["age_ms"].whole_number() == 1234);
  CHECK(alive["lease_left_ms"].whole_number() == 58'766);
  CHECK(alive["status"].kind() == JsonValue::Kind::kNull);

  const JsonValue ended = Shown(executing, kBegun + milliseconds(60'000));
  CHECK(ended["state"].text() == "unknown");
  CHECK(ended["lease_left_ms"].whole_number() == 0);
}

TEST_CASE("of a completed record the answer's status and size are shown, and not its body") {
  const auto completed = idempotency::MakeCompleted(
      contract::NewClaim(), kBegun, kBegun, contract::Shared(contract::NewResponse("a secret")),
      contract::kLong, kBegun);
  const JsonValue shown = Shown(completed, kBegun);
  CHECK(shown["state"].text() == "completed");
  CHECK(shown["status"].whole_number() == 201);
  CHECK(shown["body_bytes"].whole_number() == 8);
  CHECK(shown["body_kept"].flag() == true);
  for (const auto& [name, value] : shown.members()) {
    CAPTURE(name);
    CHECK(value.text().value_or("").find("a secret") == std::string_view::npos);
  }
}

}  // namespace idem::admin
