// The faults of a scene and the FaultHand that makes them: kill -9, SIGSTOP, and relays that delay,
// cut, stall and drop. They are aimed at requests whose claim is made and not yet recorded.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/chaos/effect_ledger.h"
#include "tests/chaos/scene.h"

namespace idem::chaos {

struct Fault {
  std::string kind;
  std::string place;  // two faults in one place never overlap
  ProxySet proxies;   // the proxies whose claims may meet it
  bool touches_claims = true;
  std::function<void()> strike;
  std::function<void()> mend;
  Milliseconds shortest{150};
  Milliseconds longest{1000};
};

/// Returns every possible fault of a scene.
[[nodiscard]] std::vector<Fault> FaultsOf(Scene& scene);

/// Makes the faults on the thread that started the scene. Every fault has its turn before one is
/// repeated.
class FaultHand {
 public:
  FaultHand(Scene& scene, Ledger& ledger, std::uint64_t seed);

  /// Makes faults until `end`. Every fault is over when it returns.
  void Run(Moment end);

 private:
  struct Active {
    const Fault* fault;
    Moment begin;
    Moment mend_at;
  };
  void Strike();
  [[nodiscard]] const Fault* Next();
  void MendDue(Moment now);
  [[nodiscard]] bool IsBusy(const std::string& place) const;
  [[nodiscard]] Milliseconds Between(Milliseconds low, Milliseconds high);

  Scene& scene_;
  Ledger& ledger_;
  std::mt19937_64 random_;
  const std::vector<Fault> faults_;
  std::vector<const Fault*> turn_;  // faults waiting for their turn, the next one last
  std::vector<Active> active_;
};

}  // namespace idem::chaos
