// The options that all exchanges of a process share, whatever their route.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace idem::exchange {

struct Options {
  std::chrono::milliseconds store_timeout{500};  // one store operation
  /// The limit of responses that wait for the store; above it new claims get 503.
  std::size_t max_unrecorded_bytes = 64 * 1024 * 1024;
  std::size_t waiters_max = 2500;  // per process: a quarter of limits.connections
  /// The limit of request bodies that waiters hold, per process.
  std::size_t waiter_bytes_max = 64 * 1024 * 1024;
};

}  // namespace idem::exchange
