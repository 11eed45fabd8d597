// The admin listener of a process, on its main loop: health, metrics and records.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "proxy/admin/admin_service.h"
#include "proxy/admin/records_api.h"
#include "proxy/app/shared_state.h"
#include "proxy/app/store_factory.h"
#include "proxy/config/config.h"
#include "proxy/event/event_loop.h"
#include "proxy/http_server/server.h"

namespace idem::app {

class AdminListener {
 public:
  /// Requires a `config` with `admin`. The other arguments outlive this object.
  AdminListener(event::EventLoop& loop, SharedState& shared, const StoreClient& store,
                std::shared_ptr<const config::Config> config);

  /// Begins to listen. If another process uses the address, the error names it and says what to do.
  Status Start();
  /// Uses the token and the routes of this configuration from now on. The address stays the same.
  void Apply(std::shared_ptr<const config::Config> config);

 private:
  [[nodiscard]] idempotency::Milliseconds TtlOf(std::string_view route) const;
  [[nodiscard]] std::string RenderMetrics();

  event::EventLoop& loop_;
  SharedState& shared_;
  std::shared_ptr<const config::Config> config_;
  admin::RecordsApi records_;
  admin::AdminService service_;
  std::atomic<std::size_t> connections_{0};
  std::unique_ptr<http_server::Server> server_;
};

}  // namespace idem::app
