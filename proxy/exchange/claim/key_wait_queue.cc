#include "proxy/exchange/claim/key_wait_queue.h"

#include <algorithm>
#include <utility>

#include "proxy/base/invariant.h"

namespace idem::exchange {

KeyWaitQueue::Seat::Seat(Seat&& other) noexcept
    : waiters_(std::exchange(other.waiters_, nullptr)),
      key_(std::move(other.key_)),
      number_(other.number_),
      bytes_(other.bytes_) {}

KeyWaitQueue::Seat& KeyWaitQueue::Seat::operator=(Seat&& other) noexcept {
  if (this == &other) return *this;
  Leave();
  waiters_ = std::exchange(other.waiters_, nullptr);
  key_ = std::move(other.key_);
  number_ = other.number_;
  bytes_ = other.bytes_;
  return *this;
}

void KeyWaitQueue::Seat::Leave() {
  if (auto* waiters = std::exchange(waiters_, nullptr)) waiters->Leave(key_, number_, bytes_);
}

bool KeyWaitQueue::Seat::is_first() const {
  INVARIANT(waiters_ != nullptr);
  const std::lock_guard lock(waiters_->mutex_);
  return waiters_->keys_.at(key_).front().number == number_;
}

KeyWaitQueue::Seat KeyWaitQueue::Join(std::string_view record_key, KeyWaiter& waiter, Loop& loop,
                                      std::size_t per_key_max, std::size_t bytes) {
  Seat place;
  const std::lock_guard lock(mutex_);
  if (count_ >= limits_.waiters_max || bytes_ + bytes > limits_.bytes_max) return place;
  place.key_ = record_key;
  auto& queue = keys_[place.key_];
  if (queue.size() >= per_key_max) {
    if (queue.empty()) keys_.erase(place.key_);  // per_key_max is 0
    return place;
  }
  place.waiters_ = this;
  place.number_ = next_number_++;
  place.bytes_ = bytes;
  queue.push_back({&waiter, &loop, place.number_});
  ++count_;
  bytes_ += bytes;
  return place;
}

void KeyWaitQueue::WakeFirst(std::string_view record_key) { Wake(record_key, 1); }

void KeyWaitQueue::WakeAll(std::string_view record_key) {
  Wake(record_key, static_cast<std::size_t>(-1));
}

void KeyWaitQueue::Wake(std::string_view record_key, std::size_t at_most) {
  const std::lock_guard lock(mutex_);
  if (keys_.empty()) return;
  const std::string key(record_key);
  const auto found = keys_.find(key);
  if (found == keys_.end()) return;
  for (const Waiting& waiting : found->second) {
    if (at_most-- == 0) return;
    waiting.loop->Post([this, key, number = waiting.number] { Deliver(key, number); });
  }
}

// On the waiter's loop, the only one on which it can leave: between the look and the call it stays
// alive.
void KeyWaitQueue::Deliver(const std::string& record_key, std::uint64_t number) {
  KeyWaiter* waiter = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto found = keys_.find(record_key);
    if (found == keys_.end()) return;
    const auto& queue = found->second;
    const auto at =
        std::ranges::find_if(queue, [&](const Waiting& other) { return other.number == number; });
    if (at == queue.end()) return;
    waiter = at->waiter;
  }
  waiter->OnWoken();
}

void KeyWaitQueue::Leave(const std::string& record_key, std::uint64_t number, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(record_key);
  INVARIANT(found != keys_.end());
  auto& queue = found->second;
  const auto at =
      std::ranges::find_if(queue, [&](const Waiting& other) { return other.number == number; });
  INVARIANT(at != queue.end());
  const bool was_first = at == queue.begin();
  queue.erase(at);
  --count_;
  bytes_ -= bytes;
  if (queue.empty()) {
    keys_.erase(found);
  } else if (was_first) {
    const Waiting& first = queue.front();
    first.loop->Post([this, record_key, next = first.number] { Deliver(record_key, next); });
  }
}

std::size_t KeyWaitQueue::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace idem::exchange
