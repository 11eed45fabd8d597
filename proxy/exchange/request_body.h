// The body of one request as it comes from the client: kept whole where a signature or a
// fingerprint needs all of it, else read ahead a little and then streamed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/http/message.h"
#include "proxy/ports/upstream.h"

namespace idem::exchange {

class RequestBody {
 public:
  static constexpr std::uint64_t kAll = ~std::uint64_t{0};
  /// What is held of one at most. A route that authenticates or enforces keys takes no larger one;
  /// one that observes lets a larger one pass without a fingerprint.
  static constexpr std::uint64_t kHeldMax = 64 * 1024 * 1024;
  /// Of a body that is streamed this much is read before the upstream is asked: a small one that
  /// is malformed or cut short reaches no backend.
  static constexpr std::uint64_t kReadAhead = 64 * 1024;

  /// Before the first byte. False: it says of itself that it is longer than `bytes_max`.
  /// `ahead_max`: how much is read before anything is forwarded.
  [[nodiscard]] bool Expect(const http::BodyLength& length, std::uint64_t bytes_max,
                            std::uint64_t ahead_max);

  /// Counts what came. False: that is more than `bytes_max`.
  [[nodiscard]] bool Count(std::string_view bytes);
  void Keep(std::string_view bytes) { kept_.append(bytes); }
  void End() { ended_ = true; }
  /// Sends what was kept, and then `bytes`.
  void Stream(std::string_view bytes, ports::UpstreamCall& call);

  /// As much was read ahead as there should be.
  [[nodiscard]] bool enough() const { return received_ >= ahead_max_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const std::string& kept() const { return kept_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
  std::string kept_;
  std::uint64_t received_ = 0;  // so far, kept or streamed
  std::uint64_t bytes_max_ = 0;
  std::uint64_t ahead_max_ = kAll;
  bool ended_ = false;
};

}  // namespace idem::exchange
