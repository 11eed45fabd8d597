// The idle connections to one upstream that one worker keeps for its next requests.
#pragma once

#include <memory>
#include <vector>

#include "proxy/event/event_loop.h"
#include "proxy/forward/forward_options.h"
#include "proxy/forward/upstream_connection.h"

namespace idem::forward {

/// Takes the newest connection first, so that under little load the surplus ages and is closed. A
/// connection that the backend closes, or on which it sends unexpected bytes, is dropped at once.
class IdleConnections final : UpstreamConnectionEvents {
 public:
  IdleConnections(event::EventLoop& loop, const UpstreamOptions& options);
  ~IdleConnections() override;
  IdleConnections(const IdleConnections&) = delete;
  IdleConnections& operator=(const IdleConnections&) = delete;

  /// Returns the connection that was used last, or null. The kernel is asked now, so a connection
  /// with something to read (an end, or bytes that would be read as the answer) is skipped. A claim
  /// on a legacy route gets only one that was idle for less than claim_idle.
  [[nodiscard]] std::unique_ptr<UpstreamConnection> Take(bool claim);
  /// Keeps a connection, and closes the oldest one if there are more than `keepalive`.
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
  std::vector<IdleEntry> kept_;  // sorted by `since`
  Ticket oldest_is_due_;  // one timer for all; it is set again if the oldest was used meanwhile
};

}  // namespace idem::forward
