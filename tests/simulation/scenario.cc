#include "tests/simulation/scenario.h"

namespace idem::simulation {

namespace {

using idempotency::ClaimEnding;
using idempotency::Policy;
using idempotency::ScopeRule;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Policy DrawPolicy(Draw& draw, bool authenticates) {
  Policy policy;
  const std::uint64_t scope = draw.Below(4);
  if (scope == 0 && authenticates) policy.scope = {{ScopeRule::Kind::kClient, {}}};
  if (scope == 1) policy.scope = {{ScopeRule::Kind::kRoute, {}}};
  if (scope == 2) policy.scope = {{ScopeRule::Kind::kHeader, "tenant"}};
  policy.upstream_idempotent = draw.Chance(400);
  // Waits are 0.5 s for the store, 3 s for the backend and 0.5 s to record. A lease may be shorter.
  policy.lease = draw.OneOf({milliseconds(9000), milliseconds(9000), milliseconds(4500),
                             milliseconds(4500), milliseconds(1200)});
  policy.record_timeout = milliseconds(500);
  policy.ttl = draw.OneOf({2 * policy.lease, 2 * policy.lease, milliseconds(minutes(10))});
  policy.unknown_ttl = draw.OneOf({milliseconds(seconds(5)), milliseconds(minutes(10))});
  policy.in_progress =
      draw.Chance(200) ? idempotency::InProgress::kReject : idempotency::InProgress::kWait;
  policy.wait_timeout = draw.OneOf({milliseconds(600), milliseconds(5000)});
  policy.max_waiters_per_key = draw.OneOf({1U, 16U});
  policy.max_recorded_body = 200;
  if (draw.Chance(100)) policy.overrides = {{503, 503, ClaimEnding::kRelease}};
  if (draw.Chance(200)) policy.overrides = {{504, 504, ClaimEnding::kUnknown}};
  return policy;
}

// semantics.md requires these waits of a route that looks up unknown outcomes: its lease covers
// every wait. Records live as long as the world, and so do the effects that the backend shows.
// Otherwise a look-up in a key's second life would find the effect of its first.
void DrawReconcile(Draw& draw, Policy& policy) {
  policy.upstream_idempotent = false;
  policy.lease = draw.OneOf({milliseconds(9000), milliseconds(4500)});
  policy.ttl = policy.unknown_ttl = minutes(10);
  idempotency::ReconcileRule& rule = policy.reconcile.emplace();
  rule.get = "/effects/{client}/{key}";
  rule.found = draw.OneOf<std::uint16_t>({200, 201});
  // A call is written no later than its longest wait before the lease's end, and the slowest takes
  // 6 s to act.
  rule.after = draw.OneOf({milliseconds(5000), milliseconds(12'000)});
  rule.interval = draw.OneOf({milliseconds(700), milliseconds(3000)});
}

// Changes the route after the backend begins to drop duplicates, after the route no longer relies
// on that, or after the operator changes the compared parts.
void DrawChange(Draw& draw, Scenario& world) {
  world.policy_later = world.policy;
  if (!world.policy.upstream_idempotent && draw.Chance(400)) {
    world.change = Change::kBackendDropsDuplicates;
    world.policy_later.upstream_idempotent = true;
  } else if (world.policy.upstream_idempotent && draw.Chance(200)) {
    world.change = Change::kNoLongerTrusted;
    // Makes some of its claims unknown.
    world.policy.overrides = {{502, 504, ClaimEnding::kUnknown}};
    world.policy_later = world.policy;
    world.policy_later.upstream_idempotent = false;
  } else if (draw.Chance(100)) {
    world.change = Change::kOtherRecipe;
    world.policy_later.recipe.body = idempotency::BodyMode::kJson;
    world.policy_later.recipe.headers = {};
  }
  world.change_at = draw.Between(milliseconds(100), seconds(5));
}

void DrawStoreFaults(Draw& draw, StoreFaults& store) {
  const auto share = [&] { return draw.OneOf<std::uint64_t>({0, 0, 20, 100}); };
  store.slow = share();
  store.lose_question = share();
  store.lose_answer = share();
  store.doubled = share();
  store.outages = draw.OneOf<std::size_t>({0, 0, 1, 2});
  store.fail_overs = draw.Chance(60) ? 1 : 0;
  store.jumps = draw.Chance(150) ? 1 : 0;
  store.stands = draw.Chance(100) ? 1 : 0;
}

// Excludes worlds that a look-up by the key cannot support. `after` is measured on the store's
// clock, so that must not run ahead of the backend. If claims are released because the backend
// drops duplicates, the effect that it shows may be that of another request with the key.
void KeepToLookUps(Scenario& world) {
  world.store.jumps = 0;
  if (world.change == Change::kBackendDropsDuplicates) world.rivals = 0;
}

void DrawLimit(Draw& draw, Scenario& world) {
  if (!draw.Chance(120)) return;
  world.limit.emplace();
  world.limit->rule = {.requests = 3, .per = seconds(1)};
  world.limit->by = exchange::RateLimitOptions::By::kAddress;
}

}  // namespace

Scenario DrawScenario(Draw& draw) {
  Scenario world;
  world.authenticates = draw.Chance(500);
  world.policy = DrawPolicy(draw, world.authenticates);
  if (draw.Chance(250)) DrawReconcile(draw, world.policy);
  DrawChange(draw, world);
  DrawLimit(draw, world);
  world.strange_replica = draw.Chance(30);
  world.max_unrecorded_bytes = draw.Chance(100) ? 1 : 64 * 1024;
  world.processes = draw.Between(1, 3);
  world.chaos = draw.Between(seconds(5), seconds(25));

  world.keys = draw.Between(1, 2);
  world.rivals = draw.OneOf<std::size_t>({0, 0, 1, 2});
  world.callers_per_intent = draw.OneOf<std::size_t>({1, 2, 2, 3, 4});
  world.returns = draw.OneOf<std::uint64_t>({0, 300});

  world.operator_acts = draw.Chance(200) ? draw.Between(1, 4) : 0;

  DrawStoreFaults(draw, world.store);
  if (world.policy.reconcile) KeepToLookUps(world);
  world.backend.trouble = draw.OneOf<std::uint64_t>({0, 200, 500});
  world.backend.slow = draw.OneOf<std::uint64_t>({0, 100, 400});
  world.backend.large = draw.OneOf<std::uint64_t>({0, 0, 200});
  world.process.die = draw.OneOf<std::uint64_t>({0, 0, 10, 40});
  world.process.suspend = draw.OneOf<std::uint64_t>({0, 0, 0, 15});
  world.process.drain = draw.OneOf<std::uint64_t>({0, 0, 0, 10});
  world.callers.leave = draw.OneOf<std::uint64_t>({0, 100, 400});
  world.callers.split_body = draw.OneOf<std::uint64_t>({0, 200});
  return world;
}

}  // namespace idem::simulation
