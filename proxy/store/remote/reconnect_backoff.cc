#include "proxy/store/remote/reconnect_backoff.h"

#include <algorithm>
#include <chrono>

#include "proxy/base/log.h"

namespace idem::store {

using std::chrono::milliseconds;

void ReconnectBackoff::Succeed() {
  failures_ = 0;
  reported_.clear();
}

void ReconnectBackoff::Report(const Error& why) {
  if (!is_reporter_ || reported_ == why.detail) return;
  reported_ = why.detail;
  log::Write(log::Level::kWarn, event_, {{"detail", why.detail}});
}

Duration ReconnectBackoff::NextPause() {
  constexpr milliseconds kPauseMin(50);
  constexpr milliseconds kPauseMax(2000);
  constexpr int kDoublingsMax = 10;
  const int doublings = std::min(failures_, kDoublingsMax);
  ++failures_;
  const milliseconds full = std::min(kPauseMin * (1 << doublings), kPauseMax);
  std::uint8_t byte[1];
  random_.Fill(byte);
  return full / 2 + full * byte[0] / 512;
}

}  // namespace idem::store
