// What a program takes of memory, as the kernel counts it.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace idem::support {

inline constexpr std::size_t kMiB = std::size_t{1} << 20;

/// How far a program has grown, at its highest, since this was made. Every failure is a
/// std::runtime_error.
class MemoryWatch {
 public:
  explicit MemoryWatch(pid_t program);
  [[nodiscard]] std::size_t growth_bytes() const;

 private:
  pid_t program_;
  std::size_t resident_;
};

/// What `program` holds in memory now.
[[nodiscard]] std::size_t ResidentBytes(pid_t program);

}  // namespace idem::support
