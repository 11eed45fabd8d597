// Limits how often one kind of log line is written. Otherwise a failing backend or an unreachable
// store would write a line for each request.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace idem {

/// Allows kLinesMax lines in each second of the caller's clock. Not thread-safe.
class LineQuota {
 public:
  static constexpr std::uint64_t kLinesMax = 10;

  /// Returns nullopt if no line may be written at `now`. Otherwise returns how many lines were left
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
