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

Ticket GatedRecords::Begin(exchange::BeginQuestion question, OnBegun on_answer) {
  auto why_closed = gate_.why_closed();
  if (!why_closed) return records_.Begin(std::move(question), std::move(on_answer));
  auto [ticket, completion] = Ask<Result<exchange::BeginAnswer>>(std::move(on_answer));
  loop_.Post([completion = std::move(completion), why = std::move(*why_closed)]() mutable {
    completion(Error{ErrorCode::kRefused, std::move(why), Reached::kNo});
  });
  return std::move(ticket);
}

std::optional<std::string> GatedRecords::not_ready() const {
  // A store that is away is why nobody could check: the nearer reason.
  if (auto away = records_.not_ready()) return away;
  return gate_.why_closed();
}

}  // namespace idem::store
