#include "proxy/store/local/limit_windows.h"

#include <algorithm>

#include "proxy/base/invariant.h"

namespace idem::store {

using ports::LimitResult;
using ports::LimitRule;

// --- AcceptedRing ---

bool AcceptedRing::Holds(const idempotency::Token& token) const {
  for (std::size_t i = size_; i > 0; --i) {  // a question asked twice follows the first closely
    if ((*this)[i - 1].token == token) return true;
  }
  return false;
}

void AcceptedRing::Push(Entry entry) {
  if (size_ == entries_.size()) Grow();
  entries_[(first_ + size_) % entries_.size()] = entry;
  ++size_;
}

void AcceptedRing::DropOldest() {
  INVARIANT(size_ > 0);
  first_ = (first_ + 1) % entries_.size();
  --size_;
}

void AcceptedRing::Grow() {
  constexpr std::size_t kFirstSize = 4;
  std::vector<Entry> larger(std::max(kFirstSize, entries_.size() * 2));
  for (std::size_t i = 0; i < size_; ++i) larger[i] = (*this)[i];
  entries_ = std::move(larger);
  first_ = 0;
}

// --- SlidingWindow ---

LimitResult SlidingWindow::Count(const idempotency::Token& token, const LimitRule& rule,
                                 StoreTime now) {
  INVARIANT(rule.requests > 0 && rule.per.count() > 0);
  while (accepted_.size() > 0 && accepted_[0].at + rule.per <= now) accepted_.DropOldest();

  LimitResult verdict;
  verdict.allowed = accepted_.Holds(token);
  if (!verdict.allowed && accepted_.size() < rule.requests) {
    accepted_.Push({now, token});
    verdict.allowed = true;
  }
  // A reload may have lowered `requests`: then several have to leave before a place is free.
  const std::size_t excess =
      accepted_.size() > rule.requests ? accepted_.size() - rule.requests : 0;
  verdict.remaining = excess > 0 ? 0 : rule.requests - static_cast<std::uint32_t>(accepted_.size());
  verdict.reset = accepted_[excess].at + rule.per - now;
  return verdict;
}

StoreTime SlidingWindow::idle_at(const LimitRule& rule) const {
  return accepted_.size() == 0 ? StoreTime{} : accepted_[accepted_.size() - 1].at + rule.per;
}

// --- TokenBucket ---

LimitResult TokenBucket::Count(const idempotency::Token& token, const LimitRule& rule,
                               StoreTime now) {
  INVARIANT(rule.requests > 0 && rule.per.count() > 0);
  const Duration interval =
      std::max(Duration(1), std::chrono::duration_cast<Duration>(rule.per) / rule.requests);
  const std::uint32_t places = rule.burst > 0 ? rule.burst : rule.requests;
  const auto used_of = [&](Duration ahead) { return (ahead + interval - Duration(1)) / interval; };
  while (accepted_.size() > 0 && accepted_[0].at + rule.per <= now) accepted_.DropOldest();

  Duration ahead = std::max(Duration(0), full_at_ - now);
  LimitResult verdict;
  verdict.allowed = accepted_.Holds(token);
  if (!verdict.allowed && used_of(ahead) < places) {
    ahead += interval;
    full_at_ = now + ahead;
    if (accepted_.size() == kTokensMax) accepted_.DropOldest();
    accepted_.Push({now, token});
    verdict.allowed = true;
  }
  const auto used = used_of(ahead);
  verdict.remaining = used >= places ? 0 : places - static_cast<std::uint32_t>(used);
  if (used > 0) {
    verdict.reset = std::chrono::ceil<std::chrono::milliseconds>(ahead - (used - 1) * interval);
  }
  return verdict;
}

StoreTime TokenBucket::idle_at(const LimitRule& rule) const {
  const StoreTime full_at = std::chrono::ceil<std::chrono::milliseconds>(full_at_);
  return accepted_.size() == 0 ? full_at
                               : std::max(full_at, accepted_[accepted_.size() - 1].at + rule.per);
}

}  // namespace idem::store
