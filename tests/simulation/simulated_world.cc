#include "tests/simulation/simulated_world.h"

#include <algorithm>
#include <utility>

#include "proxy/auth/authentication.h"

namespace idem::simulation {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kPatience = seconds(180);  // the auditor's, after the last fault
constexpr std::size_t kEventsMax = 400'000;
constexpr std::size_t kAttemptsMax = 400;

const std::string& ScopeValue(idempotency::ScopeRule::Kind kind, const Intent& intent) {
  switch (kind) {
    case idempotency::ScopeRule::Kind::kClient:
      return intent.client;
    case idempotency::ScopeRule::Kind::kRoute:
      return intent.route;
    case idempotency::ScopeRule::Kind::kHeader:
      break;
  }
  return intent.tenant;
}

bool HasTenants(const idempotency::Policy& policy) {
  return std::any_of(policy.scope.begin(), policy.scope.end(), [](const auto& rule) {
    return rule.kind == idempotency::ScopeRule::Kind::kHeader;
  });
}

std::string IdentityOf(const idempotency::Policy& policy, const Intent& intent) {
  std::string identity;
  for (const idempotency::ScopeRule& rule : policy.scope) {
    identity += ScopeValue(rule.kind, intent) + "/";
  }
  return identity + intent.key;
}

void Sign(Intent& intent) {
  const auth::ClientOptions* client = auth::FindClient(AllClients(), intent.client);
  auth::AuthenticateOptions options;
  options.scheme = auth::Scheme::kHmacBody;
  auto fields = auth::Sign(
      options, *client,
      {.method = "POST", .target = intent.target, .fields = {}, .body = intent.body}, {});
  intent.signature = std::move(*fields);
}

}  // namespace

SimulatedWorld::SimulatedWorld(std::uint64_t seed, Coverage& coverage, telemetry::Metrics& metrics,
                               std::ostream* trace)
    : draw_(seed),
      scenario_(DrawScenario(draw_)),
      trace_(timeline_, trace),
      coverage_(coverage),
      auditor_(ledger_, coverage, trace_),
      store_(timeline_, ledger_, auditor_, coverage, trace_),
      backend_({timeline_, store_, ledger_, auditor_, weather_, coverage, trace_}),
      surroundings_{timeline_, store_, backend_, ledger_, weather_, coverage, trace_, metrics} {
  MakeIntents();
  MakeProcesses();
  MakeCallers();
  PlanStoreFaults();
  PlanOperator();
}

SimulatedWorld::~SimulatedWorld() {
  for (auto& process : processes_) process->Die();
  timeline_.Clear();
}

std::optional<std::string> SimulatedWorld::Run() {
  const Duration end = scenario_.chaos + kPatience;
  std::size_t events = 0;
  while (!over() && !auditor_.verdict() && timeline_.age() < end && ++events < kEventsMax) {
    if (!timeline_.RunNext()) break;
  }
  if (!auditor_.verdict()) CheckEnd();
  coverage_.CountWorld(ledger_.effects_made, ledger_.answers_given);
  return auditor_.verdict();
}

bool SimulatedWorld::over() const {
  if (undone_ > 0) return false;
  return std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return slot.process == nullptr || slot.process->idle();
  });
}

void SimulatedWorld::CheckEnd() {
  for (Visit& visit : visits_) {
    if (!visit.over() && visit.process().alive()) {
      return auditor_.Fail("a caller was never answered");
    }
  }
  if (undone_ > 0) return auditor_.Fail("a caller was never given a final answer");
  if (!over()) return auditor_.Fail("a process never came to rest");
  CheckRest();
}

void SimulatedWorld::CheckRest() {
  for (const auto& [key, record] : store_.records()) {
    const ClaimFacts* claim = ledger_.Claim(record.claim.token);
    if (claim == nullptr || claim->attempt == nullptr || !store_.Find(key)) continue;
    const Process& process = *processes_[claim->attempt->process - 1];
    auditor_.OnRest(record, *claim, process.in_order());
  }
}

// ---- Intents ------------------------------------------------------------------------------------

void SimulatedWorld::MakeIntents() {
  for (std::size_t i = 0; i < scenario_.keys; ++i) MakeIntent("k-" + std::to_string(i + 1));
  for (std::size_t i = 0; i < scenario_.rivals; ++i) MakeRival();
  for (Intent& intent : ledger_.intents) {
    intent.identity = IdentityOf(scenario_.policy, intent);
    if (scenario_.authenticates) Sign(intent);
  }
}

Intent& SimulatedWorld::MakeIntent(const std::string& key) {
  Intent& intent = ledger_.intents.emplace_back();
  intent.number = ledger_.intents.size();
  intent.key = key;
  intent.client = kClients[0];
  intent.tenant = "north";
  intent.route = "pay";
  intent.target = "/pay/1";
  intent.body = "{\"amount\": 10, \"for\": \"" + key + "\"}";
  return intent;
}

// Uses the key of another intent with one difference. Only the first may differ by its client or
// its tenant alone.
void SimulatedWorld::MakeRival() {
  const bool first = ledger_.intents.size() == scenario_.keys;
  const bool other_tenant = first && HasTenants(scenario_.policy) && draw_.Chance(500);
  Intent& intent = MakeIntent(draw_.OneOf<const char*>({"k-1", "k-2"}));
  if (other_tenant) {
    intent.tenant = "south";
    return;
  }
  switch (draw_.Below(scenario_.authenticates && first ? 4 : 3)) {
    case 0:
      intent.body = "{\"amount\": 20, \"for\": \"" + std::to_string(intent.number) + "\"}";
      return;
    case 1:
      intent.target = "/pay/" + std::to_string(intent.number);
      return;
    case 2:
      intent.route = "refund";
      intent.target = "/refund/" + std::to_string(intent.number);
      return;
    default:
      intent.client = kClients[1];
  }
}

// Most callers come at once, as duplicates do; some return when the record may be gone.
void SimulatedWorld::MakeCallers() {
  for (const Intent& intent : ledger_.intents) {
    const Duration first = draw_.Between(Duration::zero(), seconds(3));
    for (std::size_t i = 0; i < scenario_.callers_per_intent; ++i) {
      Caller& caller = callers_.emplace_back();
      caller.intent = &intent;
      ++undone_;
      const bool returns = i > 0 && draw_.Chance(scenario_.returns);
      const Duration spread = returns ? scenario_.chaos : Duration(milliseconds(100));
      const Duration at = first + draw_.Between(Duration::zero(), spread);
      timeline_.After(at, [this, &caller] { Send(caller); });
    }
  }
}

// ---- Processes ----------------------------------------------------------------------------------

void SimulatedWorld::MakeProcesses() {
  slots_.resize(scenario_.processes);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (scenario_.change != Change::kNone) {
      slots_[i].reloads_at = scenario_.change_at + draw_.Between(Duration::zero(), seconds(10));
      timeline_.After(*slots_[i].reloads_at, [this, i] { Reload(i); });
    }
    StartProcess(i);
  }
}

const idempotency::Policy& SimulatedWorld::PolicyOf(const Slot& slot) const {
  const bool later = slot.reloads_at && timeline_.age() >= *slot.reloads_at;
  return later ? scenario_.policy_later : scenario_.policy;
}

void SimulatedWorld::StartProcess(std::size_t slot) {
  slots_[slot].process = processes_
                             .emplace_back(std::make_unique<Process>(
                                 surroundings_, slot, processes_.size() + 1, PolicyOf(slots_[slot]),
                                 [this, slot] { OnStep(slot); }))
                             .get();
  trace_.Say(
      [&](auto& out) { out << "p" << processes_.size() << "       starts in place " << slot; });
}

// Called between any two turns of a process.
void SimulatedWorld::OnStep(std::size_t slot) {
  Process* process = slots_[slot].process;
  if (process == nullptr) return;
  if (weather_.Strikes(scenario_.process.die)) return Kill(*process);
  if (weather_.Strikes(scenario_.process.drain)) Drain(*process);
  if (weather_.Strikes(scenario_.process.suspend)) {
    const Duration pause = draw_.Chance(500) ? draw_.Between(milliseconds(20), seconds(1))
                                             : draw_.Between(seconds(1), seconds(15));
    coverage_.Count(Fault::kProcessSuspended);
    trace_.Say([&](auto& out) {
      out << "p" << process->number() << "       is suspended for "
          << std::chrono::duration<double>(pause).count() << " s";
    });
    process->loop().Suspend(pause);
  }
}

void SimulatedWorld::Kill(Process& process) {
  coverage_.Count(Fault::kProcessDied);
  CountDeath(process);
  trace_.Say([&](auto& out) { out << "p" << process.number() << "       DIES"; });
  End(process);
}

void SimulatedWorld::Drain(Process& process) {
  if (process.draining()) return;
  trace_.Say([&](auto& out) { out << "p" << process.number() << "       drains"; });
  process.Drain();
  StopWhenIdle(process, timeline_.age() + draw_.Between(milliseconds(100), seconds(8)));
}

// Waits like the product's worker.
void SimulatedWorld::StopWhenIdle(Process& process, Duration grace_ends) {
  if (!process.alive()) return;
  const bool over = timeline_.age() >= grace_ends;
  if (process.loop().suspended() || (!over && !process.idle())) {
    timeline_.After(milliseconds(10),
                    [this, &process, grace_ends] { StopWhenIdle(process, grace_ends); });
    return;
  }
  if (process.idle()) coverage_.Count(Fault::kProcessDrained);
  if (!ClaimsAtWork(process).empty()) coverage_.Count(Fault::kDrainCutClaim);
  trace_.Say([&](auto& out) {
    out << "p" << process.number() << (process.idle() ? "       ends" : "       is cut");
  });
  process.Cut();
  End(process);
}

void SimulatedWorld::End(Process& process) {
  const std::size_t slot = process.slot();
  slots_[slot].process = nullptr;
  const std::vector<Visit*> broken = process.visits();
  process.Die();
  for (Visit* visit : broken) visit->Break();
  timeline_.After(draw_.Between(milliseconds(20), seconds(2)), [this, slot] {
    coverage_.Count(Fault::kProcessRestarted);
    StartProcess(slot);
  });
}

void SimulatedWorld::CountDeath(const Process& process) {
  for (const ClaimFacts* claim : ClaimsAtWork(process)) {
    coverage_.Count(Fault::kProcessDiedWithClaim);
    coverage_.Count(Saw::kProcessDied, claim->upstream_idempotent);
  }
}

// Returns the claims of which a byte was sent and whose end is not in the store.
std::vector<const ClaimFacts*> SimulatedWorld::ClaimsAtWork(const Process& process) {
  std::vector<const ClaimFacts*> claims;
  for (const Attempt& attempt : ledger_.attempts) {
    const ClaimFacts* claim = ledger_.Claim(attempt.token);
    if (attempt.process != process.number() || claim == nullptr || !attempt.written) continue;
    if (claim->begun_at && !claim->completed_at && !claim->marked_at) claims.push_back(claim);
  }
  return claims;
}

void SimulatedWorld::Reload(std::size_t slot) {
  Process* process = slots_[slot].process;
  if (process == nullptr || process->draining()) return;
  process->loop().Run([this, process, slot] {
    coverage_.Count(Fault::kProcessReloaded);
    process->Reload(PolicyOf(slots_[slot]));
  });
}

// ---- The store ----------------------------------------------------------------------------------

void SimulatedWorld::PlanStoreFaults() {
  const auto some_time = [&] { return draw_.Between(Duration::zero(), scenario_.chaos); };
  const auto away = [&](Duration from, Duration pause, std::size_t lost) {
    timeline_.After(from, [this] {
      trace_.Say([](auto& out) { out << "store    goes away"; });
      store_.away = true;
    });
    timeline_.After(from + pause, [this, lost] {
      trace_.Say([](auto& out) { out << "store    is back"; });
      if (lost > 0) store_.FailOver(lost);
      store_.away = false;
    });
  };
  for (std::size_t i = 0; i < scenario_.store.outages; ++i) {
    coverage_.Count(Fault::kStoreAway);
    away(some_time(), draw_.Between(milliseconds(50), seconds(7)), 0);
  }
  for (std::size_t i = 0; i < scenario_.store.fail_overs; ++i) {
    away(some_time(), draw_.Between(milliseconds(20), seconds(1)), draw_.Between(1, 3));
  }
  for (std::size_t i = 0; i < scenario_.store.jumps; ++i) {
    const Duration by = draw_.OneOf<Duration>({seconds(2), seconds(30), minutes(25)});
    timeline_.After(some_time(), [this, by] {
      coverage_.Count(Fault::kStoreClockJumped);
      trace_.Say([](auto& out) { out << "store    its clock jumps ahead"; });
      store_.Jump(by);
    });
  }
  for (std::size_t i = 0; i < scenario_.store.stands; ++i) {
    const Duration by = draw_.OneOf<Duration>({seconds(2), seconds(10)});
    timeline_.After(some_time(), [this, by] {
      coverage_.Count(Fault::kStoreClockStood);
      trace_.Say([](auto& out) { out << "store    its clock stands still"; });
      store_.Stand(by);
    });
  }
}

// ---- An operator
// ---------------------------------------------------------------------------------

void SimulatedWorld::PlanOperator() {
  for (std::size_t i = 0; i < scenario_.operator_acts; ++i) {
    timeline_.After(draw_.Between(seconds(1), scenario_.chaos + seconds(10)),
                    [this] { ActAsOperator(); });
  }
}

// Takes one record as it is shown, and releases or resolves it. A key that is looked up is not
// released, because the effect that the backend shows for it would be taken for the outcome of its
// next life.
void SimulatedWorld::ActAsOperator() {
  if (store_.records().empty()) return;
  auto shown = store_.records().begin();
  std::advance(shown, draw_.Below(store_.records().size()));
  const std::string key = shown->first;
  const idempotency::Token token = shown->second.claim.token;
  const ClaimFacts* claim = ledger_.Claim(std::optional(token));
  const bool may_release = !scenario_.policy.reconcile;
  if ((may_release && draw_.Chance(500)) || claim == nullptr || claim->attempt == nullptr) {
    store_.Apply({.kind = ports::Transition::Kind::kReleaseUnknown,
                  .record_key = key,
                  .claim = shown->second.claim});
    return;
  }
  Call& call = ledger_.calls.emplace_back();
  call.number = ledger_.calls.size();
  call.attempt = claim->attempt;
  call.answered = true;
  call.status = 200;
  call.fields.Add("X-Call", std::to_string(call.number));
  call.body = "settled by an operator";
  store_.Apply({.kind = ports::Transition::Kind::kResolveUnknown,
                .record_key = key,
                .claim = shown->second.claim,
                .response = std::make_shared<const idempotency::StoredResponse>(
                    idempotency::StoredResponse{call.status, call.fields, true, call.body}),
                .ttl = scenario_.policy.ttl});
}

// ---- Callers ------------------------------------------------------------------------------------

void SimulatedWorld::SendLater(Caller& caller) {
  coverage_.Count(Fault::kClientRetried);
  timeline_.After(draw_.Between(milliseconds(20), milliseconds(1500)),
                  [this, &caller] { Send(caller); });
}

void SimulatedWorld::Send(Caller& caller) {
  Process* process = slots_[draw_.Below(slots_.size())].process;
  if (process == nullptr) return SendLater(caller);
  if (++caller.attempts > kAttemptsMax) {
    return auditor_.Fail("a caller was never given a final answer");
  }
  Attempt& attempt = ledger_.attempts.emplace_back();
  attempt.number = ledger_.attempts.size();
  attempt.intent = caller.intent;
  attempt.process = process->number();
  attempt.began = timeline_.now();
  caller_of_.push_back(&caller);
  trace_.Say([&](auto& out) {
    out << "caller   sends attempt " << attempt.number << " to p" << process->number() << ": "
        << caller.intent->identity << ", intent " << caller.intent->number;
  });
  Visit& visit = visits_.emplace_back(*process, attempt, *this, surroundings_);
  std::optional<Duration> body_after;
  if (weather_.Strikes(scenario_.callers.split_body)) {
    body_after = draw_.Between(milliseconds(1), milliseconds(200));
  }
  process->loop().Arrive(draw_.Between(microseconds(50), milliseconds(2)),
                         [&visit, body_after] { visit.Arrive(body_after); });
  if (weather_.Strikes(scenario_.callers.leave)) {
    const Duration patience = draw_.Chance(500) ? draw_.Between(milliseconds(1), milliseconds(60))
                                                : draw_.Between(milliseconds(60), seconds(5));
    timeline_.After(patience, [&visit] { visit.Leave(); });
  }
}

SimulatedWorld::Caller& SimulatedWorld::CallerOf(const Visit& visit) {
  return *caller_of_[visit.attempt().number - 1];
}

void SimulatedWorld::OnAnswered(Visit& visit) {
  const Attempt& attempt = visit.attempt();
  const Answer& answer = visit.answer();
  trace_.Say([&](auto& out) {
    out << "caller   attempt " << attempt.number << " gets " << answer.head.status << " "
        << answer.body.substr(0, 100) << (answer.whole ? "" : " (cut)");
    if (answer.head.fields.Find("Idempotent-Replayed")) out << " replayed";
    if (answer.head.fields.Find("Idempotency-Status")) out << " unrecorded";
  });
  Caller& caller = CallerOf(visit);
  const Next next = auditor_.OnAnswer(attempt, answer, store_.Find(attempt.record_key),
                                      timeline_.now(), store_.Now());
  if (next == Next::kAgain) return SendLater(caller);
  caller.done = true;
  --undone_;
}

void SimulatedWorld::OnBroken(Visit& visit) { SendLater(CallerOf(visit)); }

}  // namespace idem::simulation
