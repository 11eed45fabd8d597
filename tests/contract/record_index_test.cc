// The promises of ports/record_index.h and ports/note_store.h, the same for every store.
#include <doctest/doctest.h>

#include <random>
#include <set>

#include "proxy/idempotency/key.h"
#include "proxy/idempotency/record_codec.h"
#include "tests/contract/contract_stores.h"
#include "tests/contract/samples.h"
#include "tests/contract/store_caller.h"

namespace idem::contract {

using idempotency::Claim;
using idempotency::RecordState;
using ports::FoundRecord;
using ports::NoteResult;
using ports::RecordFilter;
using ports::RecordPage;
using std::chrono::milliseconds;

namespace {

using Keys = std::set<std::string>;

Keys KeysOf(const std::vector<FoundRecord>& found) {
  Keys keys;
  for (const FoundRecord& record : found) keys.insert(record.record_key);
  return keys;
}

Claim ClaimOf(std::string route, std::string client) {
  Claim claim = NewClaim();
  claim.route = std::move(route);
  claim.client = std::move(client);
  return claim;
}

/// Tests share a store, so each note has its own name.
std::string NewNoteName() {
  std::random_device random;
  std::string name = "test_";
  for (int i = 0; i < 20; ++i) name.push_back(static_cast<char>('a' + random() % 26));
  return name;
}

}  // namespace

TEST_CASE_TEMPLATE("a list finds what is not completed, by state, route and client", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  caller.Begin("client=a;executing", ClaimOf("orders", "a"));
  const Claim unknown = ClaimOf("orders", "b");
  caller.Begin("client=b;unknown", unknown);
  caller.MarkUnknown("client=b;unknown", unknown);
  Claim abandoned = ClaimOf("refunds", "b");
  abandoned.lease = kShort;
  caller.Begin("client=b;abandoned", abandoned);
  const Claim completed = ClaimOf("orders", "a");
  caller.Begin("client=a;completed", completed);
  caller.Complete("client=a;completed", completed);
  caller.Withdraw("client=a;withdrawn", NextToken());
  caller.Count({"s", NextToken(), {2, kLong, {}, 0}});
  fixture.Pass(kAfterShort);

  const std::string executing = "client=a;executing";
  struct Row {
    RecordFilter filter;
    Keys keys;
  };
  const Row rows[] = {
      {{}, {executing, "client=b;unknown", "client=b;abandoned"}},
      {{.state = RecordState::kExecuting}, {executing}},
      {{.state = RecordState::kUnknown}, {"client=b;unknown", "client=b;abandoned"}},
      {{.route = "orders"}, {executing, "client=b;unknown"}},
      {{.route = "orders", .client = "b"}, {"client=b;unknown"}},
      {{.client = "nobody"}, {}},
      {{.age_min = kLong}, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.filter.route);
    CAPTURE(row.filter.client);
    CHECK(KeysOf(caller.List(row.filter)) == row.keys);
  }
}

TEST_CASE_TEMPLATE("a list shows records as they lie there, and finds the old ones by their age",
                   Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim old = NewClaim();
  caller.Begin("old", old);
  caller.MarkUnknown("old", old);
  fixture.Pass(milliseconds(200));
  caller.Begin("young", NewClaim());
  const auto found = caller.List({.age_min = milliseconds(190)});
  REQUIRE(found.size() == 1);
  CHECK(found.front().record_key == "old");
  const auto seen = caller.Read("old");
  REQUIRE(seen.record);
  CHECK(idempotency::Encode(found.front().record) == idempotency::Encode(*seen.record));
}

TEST_CASE_TEMPLATE("the hash that the log shows finds its record in any state", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim completed = NewClaim();
  caller.Begin("client=shop;completed", completed);
  caller.Complete("client=shop;completed", completed);
  caller.Begin("client=shop;executing", NewClaim());
  for (const std::string key : {"client=shop;completed", "client=shop;executing"}) {
    CAPTURE(key);
    const auto found = caller.List({.key_hash = idempotency::KeyHash(key)});
    REQUIRE(found.size() == 1);
    CHECK(found.front().record_key == key);
    CHECK((found.front().record.response != nullptr) == (key == "client=shop;completed"));
  }
  CHECK(caller.List({.key_hash = idempotency::KeyHash("another")}).empty());
}

TEST_CASE_TEMPLATE("a list of many records takes several steps and shows each", Fixture,
                   CONTRACT_STORES) {
  constexpr std::size_t kRecords = 2500;
  Fixture fixture;
  Caller caller(fixture);
  Keys keys;
  for (std::size_t i = 0; i < kRecords; ++i) keys.insert("many-" + std::to_string(i));
  auto key = keys.begin();
  caller.AwaitAll<ports::BeginResult>(kRecords, [&](std::size_t, auto on_answer) {
    return caller.records().Begin({*key++, NewClaim(), {}, {}}, std::move(on_answer));
  });
  const auto first = caller.Try<RecordPage>(
      [&](auto on_answer) { return caller.index().List({}, "", std::move(on_answer)); });
  REQUIRE(first.has_value());
  CHECK(first->found.size() < kRecords);
  CHECK_FALSE(first->cursor.empty());
  CHECK(KeysOf(caller.List({})) == keys);
}

TEST_CASE_TEMPLATE("what has expired is not listed, and a cursor of nobody is an error", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  Claim claim = NewClaim();
  claim.lease = claim.unknown_ttl = kShort;
  caller.Begin("k", claim);
  fixture.Pass(2 * kAfterShort);
  CHECK(caller.List({}).empty());
  for (const std::string cursor : {"no cursor", "-1", "123456789012345678901234567890x"}) {
    CAPTURE(cursor);
    const auto answer = caller.Try<RecordPage>(
        [&](auto on_answer) { return caller.index().List({}, cursor, std::move(on_answer)); });
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == ErrorCode::kInvalid);
  }
}

TEST_CASE_TEMPLATE("a note is written where what lies there is what was seen", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  Caller other(fixture);
  const std::string name = NewNoteName();
  CHECK_FALSE(caller.ReadNote(name).value.has_value());

  const NoteResult first = caller.WriteNote(name, {}, "one\n");
  CHECK(first.written);
  CHECK(first.value == "one\n");
  const NoteResult late = other.WriteNote(name, {}, "two");
  CHECK_FALSE(late.written);
  CHECK(late.value == "one\n");
  CHECK_FALSE(other.WriteNote(name, "other", "two").written);
  CHECK_FALSE(other.WriteNote(name, "", "two").written);
  CHECK(other.WriteNote(name, "one\n", "").written);
  CHECK(other.WriteNote(name, "one\n", "").written);  // a repeated call
  CHECK(caller.ReadNote(name).value == "");
  CHECK(caller.WriteNote(name, "", "three").written);
  CHECK(other.ReadNote(name).value == "three");
  CHECK(caller.List({}).empty());
}

}  // namespace idem::contract
