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
  return std::make_shared<const StoredResponse>(std::move(response));
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
