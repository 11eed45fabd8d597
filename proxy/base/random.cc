#include "proxy/base/random.h"

#include <algorithm>

#include "proxy/base/digest.h"

namespace idem {

void SystemRandom::Fill(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      FillRandom(pool_.data(), pool_.size());
      left_ = pool_.size();
    }
    const std::size_t count = std::min(left_, bytes.size());
    auto* const from = pool_.end() - static_cast<std::ptrdiff_t>(left_);
    std::copy_n(from, count, bytes.begin());
    std::fill_n(from, count, std::uint8_t{0});
    left_ -= count;
    bytes = bytes.subspan(count);
  }
}

}  // namespace idem
