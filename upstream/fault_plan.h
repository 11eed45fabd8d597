// Failures on purpose, for tests of a client or a proxy in front of this service.
#pragma once

#include <cstdint>
#include <random>

#include "proxy/base/clock.h"

namespace idem::upstream {

enum class Fault : std::uint8_t {
  kNone,
  kError,            // no row is written; 500
  kDropAfterCommit,  // a row is written, then the connection is cut
  kHangAfterCommit,  // a row is written, then no response is sent
};

/// How the service behaves, as its command line says.
struct FaultPlan {
  bool legacy = false;           // a POST needs no key, and each POST writes a new row
  Duration delay{};              // before each row is written
  Fault fault = Fault::kNone;    // for POSTs that are otherwise valid
  double fault_rate = 1;         // share of these POSTs that fail, 0 to 1
  std::uint64_t fault_seed = 0;  // equal seeds choose the same requests
};

/// Decides request by request which of them fail.
class FaultDraw {
 public:
  explicit FaultDraw(const FaultPlan& plan) : plan_(plan), generator_(plan.fault_seed) {}

  [[nodiscard]] const FaultPlan& plan() const { return plan_; }
  Fault Draw() {
    if (plan_.fault == Fault::kNone) return Fault::kNone;
    return std::bernoulli_distribution(plan_.fault_rate)(generator_) ? plan_.fault : Fault::kNone;
  }

 private:
  const FaultPlan plan_;
  std::mt19937_64 generator_;
};

}  // namespace idem::upstream
