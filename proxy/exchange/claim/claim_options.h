// What all exchanges of a process share, beside their route.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace idem::exchange {

struct Options {
  std::chrono::milliseconds store_timeout{500};  // one store operation
  /// Responses held while the store cannot take them; beyond it new claims get 503.
  std::size_t max_unrecorded_bytes = 64 * 1024 * 1024;
  std::size_t waiters_max = 2500;  // of a process: a quarter of limits.connections
  /// Request bodies that waiters hold, of a process.
  std::size_t waiter_bytes_max = 64 * 1024 * 1024;
};

}  // namespace idem::exchange
