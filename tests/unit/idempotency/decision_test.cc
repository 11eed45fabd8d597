#include "proxy/idempotency/decision.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace idem::idempotency {

namespace {

// The facts that the table of semantics.md uses.
struct Case {
  RecordState state = RecordState::kExecuting;
  bool mine = false;      // the record holds the request's own token
  bool possible = true;   // the record's recipe can fingerprint the request
  bool same = true;       // the fingerprints agree
  bool alive = true;      // the lease has not ended
  bool body_kept = true;  // completed only
  bool record_idempotent = false;
  bool route_idempotent = false;
  bool reconcile = false;
};

constexpr RecordState kExecuting = RecordState::kExecuting;
constexpr RecordState kCompleted = RecordState::kCompleted;
constexpr RecordState kUnknown = RecordState::kUnknown;

// A row of the table. An empty cell matches everything.
struct Row {
  const char* what;
  std::vector<RecordState> states;
  std::optional<bool> mine, possible, same, alive, body_kept, both_idempotent, reconcile;
  Decision decision;
};

constexpr std::nullopt_t kAny = std::nullopt;

// The rows with an ended lease are about executing records only, because an unknown record has no
// lease.
const std::vector<Row>& Table() {
  static const std::vector<Row> kRows = {
      {"my own claim", {kExecuting}, true, kAny, kAny, kAny, kAny, kAny, kAny, Decision::kExecute},
      {"another's claim, by a recipe that cannot be repeated",
       {kExecuting},
       false,
       false,
       kAny,
       kAny,
       kAny,
       kAny,
       kAny,
       Decision::kUnknown},
      {"a record by a recipe that cannot be repeated",
       {kCompleted, kUnknown},
       kAny,
       false,
       kAny,
       kAny,
       kAny,
       kAny,
       kAny,
       Decision::kUnknown},
      {"another's claim for another request",
       {kExecuting},
       false,
       true,
       false,
       kAny,
       kAny,
       kAny,
       kAny,
       Decision::kMismatch},
      {"a record of another request",
       {kCompleted, kUnknown},
       kAny,
       true,
       false,
       kAny,
       kAny,
       kAny,
       kAny,
       Decision::kMismatch},
      {"completed", {kCompleted}, kAny, true, true, kAny, true, kAny, kAny, Decision::kReplay},
      {"completed, not kept",
       {kCompleted},
       kAny,
       true,
       true,
       kAny,
       false,
       kAny,
       kAny,
       Decision::kNotKept},
      {"executing", {kExecuting}, false, true, true, true, kAny, kAny, kAny, Decision::kInProgress},
      {"run out, both sides idempotent",
       {kExecuting},
       false,
       true,
       true,
       false,
       kAny,
       true,
       kAny,
       Decision::kTakeOver},
      {"run out, reconcile",
       {kExecuting},
       false,
       true,
       true,
       false,
       kAny,
       false,
       true,
       Decision::kReconcile},
      {"run out", {kExecuting}, false, true, true, false, kAny, false, false, Decision::kUnknown},
      {"unknown, both sides idempotent",
       {kUnknown},
       kAny,
       true,
       true,
       kAny,
       kAny,
       true,
       kAny,
       Decision::kTakeOver},
      {"unknown, reconcile",
       {kUnknown},
       kAny,
       true,
       true,
       kAny,
       kAny,
       false,
       true,
       Decision::kReconcile},
      {"unknown", {kUnknown}, kAny, true, true, kAny, kAny, false, false, Decision::kUnknown},
  };
  return kRows;
}

bool Holds(const Row& row, const Case& c) {
  const auto fits = [](std::optional<bool> cell, bool value) { return !cell || *cell == value; };
  bool state = false;
  for (const RecordState candidate : row.states) state |= candidate == c.state;
  return state && fits(row.mine, c.mine) && fits(row.possible, c.possible) &&
         fits(row.same, c.same) && fits(row.alive, c.alive) && fits(row.body_kept, c.body_kept) &&
         fits(row.both_idempotent, c.record_idempotent && c.route_idempotent) &&
         fits(row.reconcile, c.reconcile);
}

Decision DecideCase(const Case& c) {
  const StoreTime begun(std::chrono::milliseconds(1'000));
  Claim claim;
  claim.token.bytes.fill(1);
  claim.fingerprint.fill(2);
  claim.upstream_idempotent = c.record_idempotent;
  claim.lease = std::chrono::milliseconds(100);
  Record record = MakeExecuting(claim, begun);
  record.state = c.state;
  if (c.state == kCompleted) {
    StoredResponse response;
    response.status = 201;
    response.body_kept = c.body_kept;
    record.response = std::make_shared<const StoredResponse>(std::move(response));
  }
  Policy policy;
  policy.upstream_idempotent = c.route_idempotent;
  if (c.reconcile) policy.reconcile.emplace();
  RequestIdentity question;
  question.token.bytes.fill(c.mine ? 1 : 3);
  question.fingerprint.fill(c.same ? 2 : 4);
  question.recipe = c.possible ? RecipeMatch::kSame : RecipeMatch::kImpossible;
  return Decide(policy, question, record, begun + std::chrono::milliseconds(c.alive ? 99 : 100));
}

std::vector<Case> EveryCase() {
  std::vector<Case> cases;
  for (const RecordState state : {kExecuting, kCompleted, kUnknown}) {
    for (unsigned bits = 0; bits < 256; ++bits) {
      const auto bit = [&](int at) { return (bits >> at & 1) != 0; };
      cases.push_back({state, bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6), bit(7)});
    }
  }
  return cases;
}

std::string Describe(const Case& c) {
  std::string text = "state " + std::to_string(static_cast<int>(c.state));
  const std::pair<const char*, bool> bits[] = {
      {" mine", c.mine},           {" possible", c.possible},
      {" same", c.same},           {" alive", c.alive},
      {" kept", c.body_kept},      {" record idempotent", c.record_idempotent},
      {" reconcile", c.reconcile}, {" route idempotent", c.route_idempotent}};
  for (const auto& [name, set] : bits) {
    if (set) text += name;
  }
  return text;
}

}  // namespace

TEST_CASE("every combination of inputs is held by exactly one row, and decided as it says") {
  for (const Case& c : EveryCase()) {
    CAPTURE(Describe(c));
    int rows = 0;
    for (const Row& row : Table()) {
      if (!Holds(row, c)) continue;
      CAPTURE(row.what);
      ++rows;
      CHECK(DecideCase(c) == row.decision);
    }
    CHECK(rows == 1);
  }
}

TEST_CASE("no row of the table is dead") {
  for (const Row& row : Table()) {
    CAPTURE(row.what);
    bool used = false;
    for (const Case& c : EveryCase()) used |= Holds(row, c);
    CHECK(used);
  }
}

}  // namespace idem::idempotency
