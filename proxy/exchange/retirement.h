// The owner of an exchange, as the exchange uses it.
#pragma once

#include <cstddef>

namespace idem::exchange {

class Retirement {
 public:
  virtual ~Retirement() = default;
  /// Called last by the exchange with this `place`. The owner destroys it on a later turn.
  virtual void Retire(std::size_t place) = 0;
};

}  // namespace idem::exchange
