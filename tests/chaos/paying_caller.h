// A realistic client. It sends the same request under the same key, through any proxy, until the
// answer is final; the member `retry` of a problem decides that. Sometimes it hangs up early.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/chaos/effect_ledger.h"

namespace idem::chaos {

class Caller {
 public:
  /// `ports` are the proxies' ports, by number.
  Caller(std::vector<std::uint16_t> ports, std::string key, std::uint64_t seed, Ledger& ledger)
      : ports_(std::move(ports)), key_(std::move(key)), random_(seed), ledger_(ledger) {}

  /// Runs until the answer is final, or until `give_up_at`. With `is_settled_later` an unknown
  /// outcome is not final, because it will be reconciled.
  void Run(Moment give_up_at, bool is_settled_later);

 private:
  enum class Next { kAgain, kDone };
  Next AskOnce(bool is_settled_later);
  [[nodiscard]] std::string RequestBytes() const;
  [[nodiscard]] Milliseconds Between(int low, int high);

  const std::vector<std::uint16_t> ports_;
  const std::string key_;
  std::mt19937_64 random_;
  Ledger& ledger_;
  Milliseconds pause_{0};
};

}  // namespace idem::chaos
