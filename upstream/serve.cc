#include "upstream/serve.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>

#include "proxy/base/random.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/listener.h"
#include "proxy/event/resolver.h"
#include "proxy/http_server/server.h"
#include "upstream/orders_service.h"
#include "upstream/postgres_order_store.h"

namespace idem::upstream {

namespace {

constexpr Duration kDrainGrace = std::chrono::seconds(15);
constexpr Duration kDrainLook = std::chrono::milliseconds(20);
constexpr Duration kLogFlush = std::chrono::milliseconds(200);

class Program {
 public:
  explicit Program(const Options& options)
      : options_(options),
        store_(loop_, resolver_, options.database, options.plan.legacy),
        service_(loop_, store_, random_, options.plan) {}

  int Run() {
    // Two processes that share a port would each get half of the requests.
    if (const Status free = event::Listener::CheckFree(options_.listen); !free) {
      return Fail(free.error());
    }
    auto server = http_server::Server::Start(loop_, options_.listen, {}, service_, connections_);
    if (!server) return Fail(server.error());
    server_ = *std::move(server);
    SayListening();
    FlushLog();
    const event::SignalWatch terminate(loop_, SIGTERM, [this] { OnStopSignal(); });
    const event::SignalWatch interrupt(loop_, SIGINT, [this] { OnStopSignal(); });
    loop_.Run();
    log::Write(log::Level::kInfo, "stopped");
    log::Flush();
    return 0;
  }

 private:
  static int Fail(const Error& error) {
    std::fprintf(stderr, "orders: %s\n", error.detail.c_str());
    return 1;
  }

  void SayListening() {
    const std::string address = server_->bound().ToText();
    const std::string database = options_.database.ToText();
    log::Write(log::Level::kInfo, "listening",
               {{"address", std::string_view(address)},
                {"database", std::string_view(database)},
                {"legacy", options_.plan.legacy},
                {"fault_seed", options_.plan.fault_seed}});
    log::Flush();
  }

  void FlushLog() {
    log::Flush();
    flushing_ = loop_.After(kLogFlush, [this] { FlushLog(); });
  }

  void OnStopSignal() {
    if (draining_.open()) return loop_.Stop();
    log::Write(log::Level::kInfo, "draining");
    leave_by_ = loop_.Now() + kDrainGrace;
    server_->Drain();
    StopWhenIdle();
  }

  void StopWhenIdle() {
    service_.AbortHanging();
    if (server_->connection_count() == 0 || loop_.Now() >= leave_by_) return loop_.Stop();
    draining_ = loop_.After(kDrainLook, [this] { StopWhenIdle(); });
  }

  // Members are destroyed in reverse order: the service before the store that it uses.
  const Options& options_;
  event::EventLoop loop_;
  event::Resolver resolver_;
  SystemRandom random_;
  PostgresOrderStore store_;
  OrdersService service_;
  std::atomic<std::size_t> connections_{0};
  std::unique_ptr<http_server::Server> server_;
  BootTime leave_by_;
  Ticket flushing_;
  Ticket draining_;
};

}  // namespace

int Serve(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  log::Configure({options.log_level, log::Format::kJson});
  return Program(options).Run();
}

}  // namespace idem::upstream
