// Bytes that the kernel has not taken yet. Private to event/.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace idem::event {

class UnsentBytes {
 public:
  void Append(std::string_view bytes) { bytes_.append(bytes); }
  /// Removes bytes from the front, which the kernel has taken.
  void Drop(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == bytes_.size()) {
      Clear();
    } else if (begin_ > bytes_.size() / 2) {
      bytes_.erase(0, begin_);
      begin_ = 0;
    }
  }
  /// Frees the memory too: the backlog of a slow reader must not stay with the connection.
  void Clear() {
    std::string().swap(bytes_);
    begin_ = 0;
  }
  [[nodiscard]] std::string_view view() const { return std::string_view(bytes_).substr(begin_); }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace idem::event
