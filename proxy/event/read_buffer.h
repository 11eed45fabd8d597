// Received bytes, in one piece. Private to event/.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace idem::event {

/// Bytes are read into the loop's scratch memory and used there. Only unconsumed bytes are kept. So
/// a connection whose messages arrive whole owns no memory and copies nothing.
class ReadBuffer {
 public:
  ReadBuffer(std::size_t first_bytes, std::size_t max_bytes)
      : first_bytes_(first_bytes), max_bytes_(std::max(first_bytes, max_bytes)) {}

  [[nodiscard]] std::string_view unread() const { return {begin_, size_}; }
  [[nodiscard]] bool full() const { return size_ >= max_bytes_; }

  /// Returns the space for the next read(): behind the kept bytes, or `scratch`.
  std::span<char> Space(std::span<char> scratch) {
    if (size_ == 0) {
      begin_ = scratch.data();
      return scratch.first(std::min(scratch.size(), max_bytes_));
    }
    if (begin_ + size_ == kept_.get() + capacity_) MakeRoom();
    const auto space = static_cast<std::size_t>(kept_.get() + capacity_ - (begin_ + size_));
    return {begin_ + size_, std::min(space, max_bytes_ - size_)};
  }
  void Filled(std::size_t bytes) { size_ += bytes; }
  void Consume(std::size_t bytes) {
    begin_ += bytes;
    size_ -= bytes;
  }
  /// Keeps the unconsumed bytes, because other connections use the scratch memory next.
  void Settle() {
    if (size_ == 0) {
      kept_.reset();
      capacity_ = 0;
    } else if (!is_kept()) {
      Keep(std::max(size_, first_bytes_));
    }
  }

 private:
  [[nodiscard]] bool is_kept() const {
    return kept_ != nullptr && begin_ >= kept_.get() && begin_ <= kept_.get() + capacity_;
  }
  /// Never called when full(), so the memory stays below twice the maximum.
  void MakeRoom() {
    if (begin_ - kept_.get() >= static_cast<std::ptrdiff_t>(capacity_ / 2)) {
      std::memmove(kept_.get(), begin_, size_);
      begin_ = kept_.get();
    } else {
      Keep(std::min(capacity_, max_bytes_) * 2);
    }
  }
  void Keep(std::size_t capacity) {
    auto grown = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(grown.get(), begin_, size_);
    kept_ = std::move(grown);
    capacity_ = capacity;
    begin_ = kept_.get();
  }

  std::size_t first_bytes_;
  std::size_t max_bytes_;
  std::unique_ptr<char[]> kept_;
  std::size_t capacity_ = 0;
  char* begin_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace idem::event
