// How an exchange ends its own life without knowing who owns it.
#pragma once

#include <cstddef>

namespace idem::exchange {

class Retirement {
 public:
  virtual ~Retirement() = default;
  /// The last call of the exchange that the owner keeps at `place`. The owner destroys it on a
  /// later turn of the loop.
  virtual void Retire(std::size_t place) = 0;
};

}  // namespace idem::exchange
