#include "tests/chaos/faults.h"

#include <algorithm>
#include <thread>

namespace idem::chaos {

namespace {

constexpr std::size_t kAtOnce = 2;
constexpr Milliseconds kAim{300};
constexpr Milliseconds kTick{5};
constexpr Milliseconds kPauseMax{700};
constexpr Milliseconds kRelayDelay{300};
constexpr Milliseconds kBeyondLease{10'000};
constexpr std::size_t kAnswerBytes = 350;  // somewhere within an answer

/// Adds faults of one place.
struct Adder {
  std::vector<Fault>& faults;
  std::string place;
  ProxySet proxies;
  bool touches_claims = true;

  void Add(std::string kind, std::function<void()> strike, std::function<void()> mend) {
    faults.push_back(
        {std::move(kind), place, proxies, touches_claims, std::move(strike), std::move(mend)});
  }
};

void AddLink(Adder adder, const std::string& between, support::Relay& relay) {
  adder.Add(
      "delay " + between, [&relay] { relay.Delay(kRelayDelay); },
      [&relay] { relay.Delay(Milliseconds(0)); });
  adder.Add(
      "cut " + between, [&relay] { relay.Cut(); }, [] {});
  adder.Add(
      "cut mid-answer " + between, [&relay] { relay.CutAfterReply(kAnswerBytes); }, [] {});
  adder.Add(
      "stall " + between, [&relay] { relay.Stall(); }, [&relay] { relay.Resume(); });
  adder.Add(
      "swallow " + between, [&relay] { relay.Blackhole(); },
      [&relay] {  // a stream with dropped bytes cannot be continued
        relay.Cut();
        relay.Resume();
      });
}

void AddService(Adder adder, const std::string& name, Service& service) {
  adder.Add(
      "kill -9 " + name, [&service] { service.Kill(); }, [&service] { service.Start(); });
  adder.Add(
      "stop " + name, [&service] { service.Freeze(); }, [&service] { service.Thaw(); });
}

void AddDatabase(Adder adder, const std::string& name, support::PostgresServer& server) {
  adder.Add(
      "kill -9 " + name, [&server] { server.Kill(); }, [&server] { server.Start(); });
  adder.Add(
      "restart " + name, [&server] { server.Stop(); }, [&server] { server.Start(); });
  adder.Add(
      "stop " + name, [&server] { server.Freeze(); }, [&server] { server.Thaw(); });
}

}  // namespace

std::vector<Fault> FaultsOf(Scene& scene) {
  std::vector<Fault> faults;
  const ProxySet all = scene.everybody();
  AddService({faults, "backend", all}, "orders", scene.orders());
  AddDatabase({faults, "backend", all}, "the orders' database", scene.database());
  AddLink({faults, "behind", all}, "orders - its database", scene.behind());
  if (support::RedisServer* redis = scene.redis()) {
    Adder store{faults, "store", all};
    store.Add(
        "kill -9 the store", [redis] { redis->Kill(); }, [redis] { redis->Start(); });
    store.Add(
        "stop the store", [redis] { redis->Stop(); }, [redis] { redis->Continue(); });
  }
  if (support::PostgresServer* server = scene.store_database()) {
    AddDatabase({faults, "store", all}, "the store", *server);
  }
  for (std::size_t i = 0; i < scene.proxies().size(); ++i) {
    Proxy& proxy = *scene.proxies()[i];
    const std::string number = std::to_string(i);
    AddService({faults, "proxy " + number, {i}}, "a proxy", proxy.service);
    AddLink({faults, "front " + number, {i}, false}, "caller - proxy", proxy.front);
    AddLink({faults, "back " + number, {i}}, "proxy - orders", proxy.back);
    if (proxy.aside) AddLink({faults, "aside " + number, {i}}, "proxy - store", *proxy.aside);
  }
  if (scene.proxies().size() > 1) {
    Service& service = scene.proxies()[0]->service;
    faults.push_back({"stop a proxy beyond its lease",
                      "proxy 0",
                      {0},
                      true,
                      [&service] { service.Freeze(); },
                      [&service] { service.Thaw(); },
                      kBeyondLease,
                      kBeyondLease});
  }
  return faults;
}

FaultHand::FaultHand(Scene& scene, Ledger& ledger, std::uint64_t seed)
    : scene_(scene), ledger_(ledger), random_(seed), faults_(FaultsOf(scene)) {}

void FaultHand::Run(Moment end) {
  Moment next_strike = Clock::now();
  while (Clock::now() < end) {
    scene_.CheckThatAllRun();
    MendDue(Clock::now());
    if (active_.size() < kAtOnce && Clock::now() >= next_strike) {
      Strike();
      next_strike = Clock::now() + Between(Milliseconds(0), kPauseMax);
    }
    std::this_thread::sleep_for(kTick);
  }
  MendDue(Moment::max());
  scene_.CheckThatAllRun();
}

// Strikes between a claim and its record.
void FaultHand::Strike() {
  const Fault* fault = Next();
  if (fault == nullptr) return;
  if (fault->touches_claims && ledger_.WaitForForward(fault->proxies, kAim)) {
    std::this_thread::sleep_for(Between(Milliseconds(0), Scene::kBackendDelay));
  }
  const Moment now = Clock::now();
  fault->strike();
  active_.push_back({fault, now, now + Between(fault->shortest, fault->longest)});
}

const Fault* FaultHand::Next() {
  if (turn_.empty()) {
    for (const Fault& fault : faults_) turn_.push_back(&fault);
    std::shuffle(turn_.begin(), turn_.end(), random_);
  }
  const auto free = std::find_if(turn_.rbegin(), turn_.rend(),
                                 [&](const Fault* fault) { return !IsBusy(fault->place); });
  if (free == turn_.rend()) return nullptr;
  const Fault* fault = *free;
  turn_.erase(std::next(free).base());
  return fault;
}

void FaultHand::MendDue(Moment now) {
  std::erase_if(active_, [&](const Active& active) {
    if (now < active.mend_at) return false;
    active.fault->mend();
    ledger_.Mended({active.fault->kind, active.fault->proxies, active.fault->touches_claims,
                    active.begin, Clock::now()});
    return true;
  });
}

bool FaultHand::IsBusy(const std::string& place) const {
  return std::any_of(active_.begin(), active_.end(),
                     [&](const Active& active) { return active.fault->place == place; });
}

Milliseconds FaultHand::Between(Milliseconds low, Milliseconds high) {
  return Milliseconds(
      std::uniform_int_distribution<Milliseconds::rep>(low.count(), high.count())(random_));
}

}  // namespace idem::chaos
