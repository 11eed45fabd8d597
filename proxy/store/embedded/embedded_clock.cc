#include "proxy/store/embedded/embedded_clock.h"

#include <algorithm>

namespace idem::store {

std::optional<std::string> EmbeddedClock::Start(std::optional<StoreTime> newest) {
  const StoreTime calendar = calendar_();
  const StoreTime start = newest ? std::max(calendar, *newest + kStampEvery) : calendar;
  const bool is_behind = newest && calendar + kBehindMax < *newest;
  const bool is_ahead = newest && calendar > *newest + kAheadMax;
  if (is_behind || is_ahead) {
    newest_ = *newest;
    held_until_ = start + kHold;
  }
  started_at_ = start;
  clock_.emplace(start, boot_);
  started_.store(true, std::memory_order_release);
  if (is_behind) return "the clock of this machine is behind the newest record; check the clock";
  if (is_ahead) return "the newest record is more than 30 days old; check the clock";
  return std::nullopt;
}

bool EmbeddedClock::HasExpired(StoreTime expires_at) const {
  if (!started_.load(std::memory_order_acquire)) return false;
  const StoreTime now = Now();
  if (now < expires_at) return false;
  return now >= held_until_ || expires_at <= newest_;
}

}  // namespace idem::store
