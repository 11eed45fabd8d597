#include "proxy/admin/readiness.h"

#include <utility>

namespace idem::admin {

void Readiness::SetStore(std::size_t index, std::optional<std::string> unavailable_reason) {
  const std::lock_guard lock(mutex_);
  stores_.at(index) = std::move(unavailable_reason);
}

void Readiness::SetListening() {
  const std::lock_guard lock(mutex_);
  listening_ = true;
}

void Readiness::SetDraining() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

std::string Readiness::unavailable_reason() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  if (draining_) text += "draining\n";
  if (!listening_) text += "listeners: not bound yet\n";
  for (const auto& store : stores_) {
    if (!store) continue;
    text += "store: " + *store + "\n";
    break;  // the workers share a store, so one reason is enough
  }
  return text;
}

}  // namespace idem::admin
