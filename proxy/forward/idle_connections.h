// The connections of one upstream that one worker keeps for its next requests.
#pragma once

#include <memory>
#include <vector>

#include "proxy/event/event_loop.h"
#include "proxy/forward/forward_options.h"
#include "proxy/forward/upstream_connection.h"

namespace idem::forward {

/// Last in, first out: under little load the surplus grows old and is closed. One that the backend
/// ends, or on which it says something unasked, is dropped at once.
class IdleConnections final : UpstreamConnectionEvents {
 public:
  IdleConnections(event::EventLoop& loop, const UpstreamOptions& options);
  ~IdleConnections() override;
  IdleConnections(const IdleConnections&) = delete;
  IdleConnections& operator=(const IdleConnections&) = delete;

  /// The one that was used last and, asked of the kernel now, has nothing to read (an end, or bytes
  /// that would be taken for the answer); or null. For a claim on a legacy route only one that was
  /// idle for less than claim_idle.
  [[nodiscard]] std::unique_ptr<UpstreamConnection> Take(bool claim);
  /// Closes the oldest one where there would be more than `keepalive`.
  void Keep(std::unique_ptr<UpstreamConnection> connection);
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

 private:
  struct IdleEntry {
    std::unique_ptr<UpstreamConnection> connection;
    BootTime since;
  };
  void OnBroken(UpstreamConnection& connection, ports::UpstreamProblem problem,
                std::string_view detail) override;
  void CloseOld();

  event::EventLoop& loop_;
  const UpstreamOptions& options_;
  std::vector<IdleEntry> kept_;  // in the order of `since`
  Ticket oldest_is_due_;  // one timer for all; looks again where the oldest was used meanwhile
};

}  // namespace idem::forward
