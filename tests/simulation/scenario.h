// One simulated world as its seed draws it: the route and its replicas, the callers, and the
// frequency of each fault. Shares are in thousandths.
#pragma once

#include <optional>
#include <vector>

#include "proxy/exchange/rules/router.h"
#include "proxy/idempotency/policy.h"
#include "tests/simulation/draw.h"

namespace idem::simulation {

struct StoreFaults {
  std::uint64_t slow = 0;           // a call or an answer takes longer than any wait
  std::uint64_t lose_question = 0;  // never arrives; the caller gets an error, perhaps late
  std::uint64_t lose_answer = 0;
  std::uint64_t doubled = 0;  // the step is carried out twice
  std::size_t outages = 0;
  std::size_t fail_overs = 0;  // each loses the last writes, which the promise excludes
  std::size_t jumps = 0;       // of its clock, forwards
  std::size_t stands = 0;      // of its clock, as after it was set back
};

struct BackendFaults {
  std::uint64_t trouble = 0;  // calls that end in something other than a plain success
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

/// The changes of the configuration while the world runs, one replica after the other.
enum class Change : std::uint8_t {
  kNone,
  kBackendDropsDuplicates,
  kNoLongerTrusted,  // it still drops duplicates, but the route no longer says so
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
  Duration chaos{};  // no fault happens after it

  std::size_t keys = 1;
  std::size_t rivals = 0;  // requests that use the key of another request
  std::size_t callers_per_intent = 1;
  std::size_t operator_acts = 0;  // releases and resolutions of unknown claims
  std::uint64_t returns = 0;      // callers that return when the record may have expired

  StoreFaults store;
  BackendFaults backend;
  ProcessFaults process;
  CallerHabits callers;
};

/// Waits that every world shares.
inline constexpr Duration kResponseTimeout = std::chrono::seconds(2);
inline constexpr Duration kLongestWait = std::chrono::seconds(3);
inline constexpr Duration kStoreTimeout = std::chrono::milliseconds(500);

[[nodiscard]] Scenario DrawScenario(Draw& draw);

}  // namespace idem::simulation
