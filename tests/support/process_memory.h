// The memory of a program, as the kernel counts it.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace idem::support {

inline constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Measures the highest growth of a program since the watch was made. Every failure is a
/// std::runtime_error.
class MemoryWatch {
 public:
  explicit MemoryWatch(pid_t program);
  [[nodiscard]] std::size_t growth_bytes() const;

 private:
  pid_t program_;
  std::size_t resident_;
};

/// Returns the resident memory of `program` now.
[[nodiscard]] std::size_t ResidentBytes(pid_t program);

}  // namespace idem::support
