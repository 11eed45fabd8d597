#include "proxy/idempotency/lease.h"

#include <doctest/doctest.h>

#include "proxy/idempotency/policy.h"

namespace idem::idempotency {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

StoreTime At(std::int64_t ms) { return StoreTime(milliseconds(ms)); }

Record RecordOf(RecordState state, std::int64_t begun_at, std::int64_t lease_ends_at,
                std::int64_t lease = 100) {
  Record record;
  record.state = state;
  record.begun_at = At(begun_at);
  record.lease_ends_at = At(lease_ends_at);
  record.claim.lease = milliseconds(lease);
  return record;
}

}  // namespace

TEST_CASE("a lease ends its length after the claim began, on either clock") {
  CHECK(LeaseEnd(At(1'000), milliseconds(45'000)) == At(46'000));
  CHECK(LeaseEnd(At(1'000), milliseconds(0)) == At(1'000));
  const BootTime asked_at{nanoseconds(7)};
  CHECK(LeaseEnd(asked_at, milliseconds(2)) == BootTime(nanoseconds(2'000'007)));
}

TEST_CASE("after a restart a claim has its whole lease again, and never an earlier end") {
  struct Row {
    std::int64_t lease_ends_at, started_at, expected;
  };
  constexpr Row rows[] = {
      {1'100, 1'050, 1'150},  // the process died within the lease
      {1'100, 1'000, 1'100},  // it started at the begin: the same end
      {1'100, 900, 1'100},    // the calendar was set back
      {1'100, 9'000, 9'100},  // the lease had ended
  };
  for (const Row& row : rows) {
    CAPTURE(row.started_at);
    const Record record = RecordOf(RecordState::kExecuting, 1'000, row.lease_ends_at);
    CHECK(LeaseEndAfterRestart(record, At(row.started_at)) == At(row.expected));
  }
}

TEST_CASE("a record is alive while it executes and its lease has not ended") {
  struct Row {
    RecordState state;
    std::int64_t now;
    bool expected;
  };
  constexpr Row rows[] = {
      {RecordState::kExecuting, 1'000, true},  {RecordState::kExecuting, 1'099, true},
      {RecordState::kExecuting, 1'100, false}, {RecordState::kExecuting, 9'000, false},
      {RecordState::kUnknown, 1'000, false},   {RecordState::kUnknown, 1'100, false},
      {RecordState::kCompleted, 1'000, false}, {RecordState::kCompleted, 1'100, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.state);
    CAPTURE(row.now);
    CHECK(IsAlive(RecordOf(row.state, 1'000, 1'100), At(row.now)) == row.expected);
  }
}

TEST_CASE("the required lease is every wait of an execution and a margin of five seconds") {
  struct Row {
    ExecutionWaits waits;
    milliseconds expected;
  };
  constexpr Row rows[] = {
      {{}, seconds(5)},
      {{.store_timeout = milliseconds(500)}, seconds(6)},  // it waits for the store twice
      {{.longest_wait = seconds(34)}, seconds(39)},
      {{.record_timeout = seconds(2)}, seconds(7)},
      {{milliseconds(500), seconds(34), seconds(2)}, seconds(42)},
      {{.longest_wait = nanoseconds(1)}, milliseconds(5'001)},  // rounded up
  };
  for (const Row& row : rows) CHECK(RequiredLease(row.waits) == row.expected);
}

TEST_CASE("a look-up waits for the lease's end, or for the end that today's lease would have") {
  struct Row {
    std::int64_t lease_ends_at, policy_lease, after, expected;
  };
  constexpr Row rows[] = {
      {1'100, 100, 50, 1'150},  // the same lease
      {1'100, 300, 50, 1'350},  // the claim was made under a shorter one
      {1'100, 20, 50, 1'150},   // the claim was made under a longer one
      {1'100, 100, 0, 1'100},   //
      {1'700, 100, 50, 1'750},  // its end was moved by a restart
  };
  for (const Row& row : rows) {
    CAPTURE(row.lease_ends_at);
    CAPTURE(row.policy_lease);
    Policy policy;
    policy.lease = milliseconds(row.policy_lease);
    policy.reconcile.emplace().after = milliseconds(row.after);
    const Record record = RecordOf(RecordState::kUnknown, 1'000, row.lease_ends_at);
    CHECK(EarliestLookUp(record, policy) == At(row.expected));
  }
}

TEST_CASE("the first byte is sent only under a lease that covers the rest, if it can") {
  using std::chrono::seconds;
  const ExecutionWaits waits{seconds(1), seconds(34), seconds(5)};
  struct Row {
    seconds lease, left;
    bool may;
  };
  for (const Row& row : {Row{seconds(60), seconds(35), true}, Row{seconds(60), seconds(34), false},
                         Row{seconds(39), seconds(35), true}, Row{seconds(39), seconds(34), false},
                         Row{seconds(38), seconds(34), true}, Row{seconds(38), seconds(1), true},
                         Row{seconds(38), seconds(0), false}}) {
    CAPTURE(row.lease.count());
    CAPTURE(row.left.count());
    CHECK(MaySend(row.lease, row.left, seconds(30), waits) == row.may);
  }
}

}  // namespace idem::idempotency
