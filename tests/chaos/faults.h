// What is done to a scene, and the hand that does it: kill -9, SIGSTOP, and relays that delay, cut,
// stall and swallow, aimed at requests whose claim is made and not yet recorded.
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
  std::string place;  // of two faults in one place one waits for the other's end
  ProxySet proxies;   // whose claims may meet it
  bool touches_claims = true;
  std::function<void()> strike;
  std::function<void()> mend;
  Milliseconds shortest{150};
  Milliseconds longest{1000};
};

/// All that can be done to it.
[[nodiscard]] std::vector<Fault> FaultsOf(Scene& scene);

/// Strikes, on the thread that started the scene. Every fault has its turn before one comes again.
class FaultHand {
 public:
  FaultHand(Scene& scene, Ledger& ledger, std::uint64_t seed);

  /// Until `end`; everything is mended when it returns.
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
  std::vector<const Fault*> turn_;  // those that wait for their turn, the next one last
  std::vector<Active> active_;
};

}  // namespace idem::chaos
