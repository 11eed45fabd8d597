// One simulated world as its seed draws it: the route and its replicas, who calls, and what goes
// wrong how often. Shares are in thousandths.
#pragma once

#include <optional>
#include <vector>

#include "proxy/exchange/rules/router.h"
#include "proxy/idempotency/policy.h"
#include "tests/simulation/draw.h"

namespace idem::simulation {

struct StoreFaults {
  std::uint64_t slow = 0;           // a question or an answer takes longer than anybody waits
  std::uint64_t lose_question = 0;  // never arrives; the asker hears of an error, or late
  std::uint64_t lose_answer = 0;
  std::uint64_t doubled = 0;  // the step is carried out twice
  std::size_t outages = 0;
  std::size_t fail_overs = 0;  // each loses the last writes: what the promise excludes
  std::size_t jumps = 0;       // of its clock, ahead
  std::size_t stands = 0;      // of its clock, as one that was set back
};

struct BackendFaults {
  std::uint64_t trouble = 0;  // calls that end otherwise than with a plain success
  std::uint64_t slow = 0;     // calls that take seconds
  std::uint64_t large = 0;    // successes too large to keep
};

struct ProcessFaults {
  std::uint64_t die = 0;  // at each turn of its loop, before or after it
  std::uint64_t suspend = 0;
  std::uint64_t drain = 0;
};

struct CallerHabits {
  std::uint64_t leave = 0;       // does not wait for the answer
  std::uint64_t split_body = 0;  // its body comes later than its head
};

/// What the configuration becomes while the world runs, one replica after the other.
enum class Change : std::uint8_t {
  kNone,
  kBackendDropsDuplicates,
  kNoLongerTrusted,  // it still drops duplicates, but the route says no more that it does
  kOtherRecipe
};

struct Scenario {
  idempotency::Policy policy;
  idempotency::Policy policy_later;
  Change change = Change::kNone;
  Duration change_at{};
  std::optional<exchange::RateLimitOptions> limit;
  bool authenticates = false;
  bool strange_replica = false;  // the first process runs a later version
  std::size_t max_unrecorded_bytes = 0;
  std::size_t processes = 1;
  Duration chaos{};  // nothing goes wrong after it

  std::size_t keys = 1;
  std::size_t rivals = 0;  // requests under a key that another request uses too
  std::size_t callers_per_intent = 1;
  std::size_t operator_acts = 0;  // releases and resolutions of unknown claims
  std::uint64_t returns = 0;      // callers that come back when the record may have expired

  StoreFaults store;
  BackendFaults backend;
  ProcessFaults process;
  CallerHabits callers;
};

/// Waits that are the same in every world.
inline constexpr Duration kResponseTimeout = std::chrono::seconds(2);
inline constexpr Duration kLongestWait = std::chrono::seconds(3);
inline constexpr Duration kStoreTimeout = std::chrono::milliseconds(500);

[[nodiscard]] Scenario DrawScenario(Draw& draw);

}  // namespace idem::simulation
