#include "proxy/idempotency/record.h"

#include <doctest/doctest.h>

namespace idem::idempotency {

namespace {

using std::chrono::milliseconds;

StoreTime At(std::int64_t ms) { return StoreTime(milliseconds(ms)); }

Claim SampleClaim() {
  Claim claim;
  claim.lease = milliseconds(45'000);
  claim.unknown_ttl = milliseconds(2'592'000'000);
  return claim;
}

std::shared_ptr<const StoredResponse> SampleResponse() {
  StoredResponse response;
  response.status = 201;
  response.fields.Add("Content-Type", "application/json");
  response.fields.Add("X-Part", "1");
  response.fields.Add("Empty", "");
  response.fields.Add("x-part", "2: b");
  response.body = R"({"order":{"id":"7"}})";
  return response;
}

std::vector<Record> SampleRecords() {
  std::vector<Record> records;
  records.push_back(MakeExecuting(SampleClaim(), At(1'700'000'000'000)));
  records.push_back(MakeUnknown(SampleClaim(), At(1'700'000'000'000), At(1'700'000'045'000),
                                At(1'700'000'050'000)));
  Claim odd = SampleClaim();
  odd.upstream_idempotent = true;
  odd.route = "/orders, new";
  odd.client = "-";
  records.push_back(MakeCompleted(odd, At(5), SampleResponse(), milliseconds(86'400'000), At(9)));
  StoredResponse every_byte = SampleResponse();
  every_byte.body.clear();
  for (int byte = 0; byte < 256; ++byte) every_byte.body.push_back(static_cast<char>(byte));
  records.push_back(MakeCompleted(odd, At(5), every_byte, milliseconds(1), At(9)));
  StoredResponse not_kept;
  not_kept.status = 200;
  not_kept.body_kept = false;
  Claim bare;
  bare.recipe = "r";
  records.push_back(MakeCompleted(bare, At(0), not_kept, milliseconds(0), At(0)));
  return records;
}

void CheckEqual(const Record& a, const Record& b) {
  CHECK(a.state == b.state);
  CHECK(a.claim.token == b.claim.token);
  CHECK(a.claim.fingerprint == b.claim.fingerprint);
  CHECK(a.claim.recipe == b.claim.recipe);
  CHECK(a.claim.upstream_idempotent == b.claim.upstream_idempotent);
  CHECK(a.claim.lease == b.claim.lease);
  CHECK(a.claim.unknown_ttl == b.claim.unknown_ttl);
  CHECK(a.claim.route == b.claim.route);
  CHECK(a.claim.client == b.claim.client);
  CHECK(a.begun_at == b.begun_at);
  CHECK(a.lease_ends_at == b.lease_ends_at);
  CHECK(a.expires_at == b.expires_at);
  REQUIRE(a.response.has_value() == b.response.has_value());
  if (!a.response) return;
  CHECK(a.response->status == b.response->status);
  CHECK(a.response->body_kept == b.response->body_kept);
  CHECK(a.response->body == b.response->body);
  REQUIRE(a.response->fields.size() == b.response->fields.size());
  for (std::size_t i = 0; i < a.response->fields.size(); ++i) {
    CHECK(a.response->fields[i].name == b.response->fields[i].name);
    CHECK(a.response->fields[i].value == b.response->fields[i].value);
  }
}

// Every accepted text must be exactly what Encode() writes for its record.
bool RefusedOrExact(const std::string& bytes) {
  const Result<Record> record = Decode(bytes);
  return record ? Encode(*record) == bytes : record.error().code == ErrorCode::kCorrupt;
}

}  // namespace

TEST_CASE("an executing record is unknown from the moment its lease ends") {
  const Record record = MakeExecuting(SampleClaim(), At(1'000));
  CHECK(record.state_at(At(45'999)) == RecordState::kExecuting);
  CHECK(record.state_at(At(46'000)) == RecordState::kUnknown);
  CHECK_FALSE(record.expired_at(At(46'000 + 2'592'000'000 - 1)));
  CHECK(record.expired_at(At(46'000 + 2'592'000'000)));
}

TEST_CASE("completed and unknown records keep their state, and live from when they were written") {
  const Record completed = MakeCompleted(SampleClaim(), At(1'000), At(46'000), SampleResponse(),
                                         milliseconds(500), At(2'000));
  CHECK(completed.state_at(At(99'000)) == RecordState::kCompleted);
  CHECK(completed.lease_ends_at == At(46'000));
  CHECK_FALSE(completed.expired_at(At(2'499)));
  CHECK(completed.expired_at(At(2'500)));
  const Record unknown = MakeUnknown(SampleClaim(), At(1'000), At(46'000), At(2'000));
  CHECK(unknown.state_at(At(2'000)) == RecordState::kUnknown);
  CHECK(unknown.lease_ends_at == At(46'000));
  CHECK(unknown.expired_at(At(2'000 + 2'592'000'000)));
}

}  // namespace idem::idempotency
