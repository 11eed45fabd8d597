// The body of one request from the client. It is kept whole if a signature or a fingerprint needs
// all of it. Otherwise its beginning is read ahead, and the rest is streamed.
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
  /// Limits a body that is kept. A route that authenticates or enforces keys refuses a larger one;
  /// a route that observes lets it pass without a fingerprint.
  static constexpr std::uint64_t kHeldMax = 64 * 1024 * 1024;
  /// Read of a streamed body before the upstream call begins, so that a small body that is
  /// malformed or cut short reaches no backend.
  static constexpr std::uint64_t kReadAhead = 64 * 1024;

  /// Called before the first byte. Returns false if Content-Length is greater than `bytes_max`.
  /// `ahead_max` bytes are read before anything is forwarded.
  [[nodiscard]] bool Expect(const http::BodyLength& length, std::uint64_t bytes_max,
                            std::uint64_t ahead_max);

  /// Counts received bytes. Returns false if they exceed `bytes_max`.
  [[nodiscard]] bool Count(std::string_view bytes);
  void Keep(std::string_view bytes) { kept_.append(bytes); }
  void End() { ended_ = true; }
  /// Sends the kept bytes, and then `bytes`.
  void Stream(std::string_view bytes, ports::UpstreamCall& call);

  /// True if `ahead_max` bytes have arrived.
  [[nodiscard]] bool enough() const { return received_ >= ahead_max_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const std::string& kept() const { return kept_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
  std::string kept_;
  std::uint64_t received_ = 0;  // kept or streamed
  std::uint64_t bytes_max_ = 0;
  std::uint64_t ahead_max_ = kAll;
  bool ended_ = false;
};

}  // namespace idem::exchange
