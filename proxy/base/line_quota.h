// How often one kind of log line may be written: a backend that fails, or a store that is away,
// would otherwise write a line for each request.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace idem {

/// At most kLinesMax lines in a second of the clock that is handed in. Not for several threads.
class LineQuota {
 public:
  static constexpr std::uint64_t kLinesMax = 10;

  /// Whether a line may be written at `now`: nullopt, and it is left out; else how many were left
  /// out since the last one that was written.
  [[nodiscard]] std::optional<std::uint64_t> Take(std::chrono::seconds now) {
    if (now != second_) {
      second_ = now;
      written_ = 0;
    }
    if (written_ == kLinesMax) {
      ++left_out_;
      return std::nullopt;
    }
    ++written_;
    return std::exchange(left_out_, 0);
  }

 private:
  std::chrono::seconds second_{-1};
  std::uint64_t written_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace idem
