// The random choices of a simulated world. Every number of a world is drawn here, so the seed alone
// repeats it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "proxy/base/clock.h"
#include "tests/support/seeded_random.h"

namespace idem::simulation {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  /// Returns 0 to `bound` - 1.
  std::uint64_t Below(std::uint64_t bound) { return random_.Next() % bound; }
  /// Returns `least` to `most`.
  std::uint64_t Between(std::uint64_t least, std::uint64_t most) {
    return least + Below(most - least + 1);
  }
  Duration Between(Duration least, Duration most) {
    return least + Duration(Below(static_cast<std::uint64_t>((most - least).count()) + 1));
  }
  /// Returns true with that probability in thousandths.
  bool Chance(std::uint64_t per_thousand) { return Below(1000) < per_thousand; }
  template <class T>
  T OneOf(std::initializer_list<T> list) {
    return list.begin()[Below(list.size())];
  }
  std::uint64_t Seed() { return random_.Next(); }

 private:
  support::SeededRandom random_;
};

}  // namespace idem::simulation
