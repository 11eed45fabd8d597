#include "proxy/store/gated_record_store.h"

#include <utility>

namespace idem::store {

void ClaimGate::Open() { open_ = true; }

void ClaimGate::StayClosed(std::string why) {
  const std::lock_guard lock(mutex_);
  why_closed_ = std::move(why);
}

std::optional<std::string> ClaimGate::why_closed() const {
  if (open_) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return why_closed_;
}

Ticket GatedRecordStore::Begin(ports::BeginRequest request, OnBegun on_begun) {
  auto why_closed = gate_.why_closed();
  if (!why_closed) return records_.Begin(std::move(request), std::move(on_begun));
  auto [ticket, completion] = Ask<Result<ports::BeginResult>>(std::move(on_begun));
  loop_.Post([completion = std::move(completion), why = std::move(*why_closed)]() mutable {
    completion(Error{ErrorCode::kRefused, std::move(why), Delivery::kNotSent});
  });
  return std::move(ticket);
}

std::optional<std::string> GatedRecordStore::unavailable_reason() const {
  // The gate stays closed while the store is unreachable, so the store's reason comes first.
  if (auto reason = records_.unavailable_reason()) return reason;
  return gate_.why_closed();
}

}  // namespace idem::store
