#include "proxy/forward/idle_connections.h"

#include <algorithm>
#include <utility>

namespace idem::forward {

IdleConnections::IdleConnections(event::EventLoop& loop, const UpstreamOptions& options)
    : loop_(loop), options_(options) {}

IdleConnections::~IdleConnections() = default;

std::unique_ptr<UpstreamConnection> IdleConnections::Take(bool claim) {
  while (!kept_.empty()) {
    if (claim && loop_.Now() - kept_.back().since >= options_.claim_idle) return nullptr;
    auto connection = std::move(kept_.back().connection);
    kept_.pop_back();
    if (connection->quiet()) return connection;
    UpstreamConnection::Retire(loop_, std::move(connection), /*abort=*/false);
  }
  return nullptr;
}

void IdleConnections::Keep(std::unique_ptr<UpstreamConnection> connection) {
  connection->SetUser(*this);
  kept_.push_back({std::move(connection), loop_.Now()});
  if (kept_.size() > options_.keepalive) {
    UpstreamConnection::Retire(loop_, std::move(kept_.front().connection), /*abort=*/false);
    kept_.erase(kept_.begin());
  }
  if (!oldest_is_due_.open()) {
    oldest_is_due_ = loop_.After(options_.idle_timeout, [this] { CloseOld(); });
  }
}

void IdleConnections::OnBroken(UpstreamConnection& connection, ports::UpstreamProblem,
                               std::string_view) {
  const auto broken = std::ranges::find_if(
      kept_, [&](const IdleEntry& kept) { return kept.connection.get() == &connection; });
  INVARIANT(broken != kept_.end());
  UpstreamConnection::Retire(loop_, std::move(broken->connection), /*abort=*/false);
  kept_.erase(broken);
}

void IdleConnections::CloseOld() {
  const BootTime now = loop_.Now();
  const auto young = std::ranges::find_if(
      kept_, [&](const IdleEntry& kept) { return now - kept.since < options_.idle_timeout; });
  for (auto old = kept_.begin(); old != young; ++old) {
    UpstreamConnection::Retire(loop_, std::move(old->connection), /*abort=*/false);
  }
  kept_.erase(kept_.begin(), young);
  if (kept_.empty()) return;
  const Duration left = options_.idle_timeout - (now - kept_.front().since);
  oldest_is_due_ = loop_.After(left, [this] { CloseOld(); });
}

}  // namespace idem::forward
