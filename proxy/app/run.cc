#include "proxy/app/run.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "proxy/admin/admin_service.h"
#include "proxy/app/descriptors.h"
#include "proxy/app/open_store.h"
#include "proxy/app/process.h"
#include "proxy/app/scope_check.h"
#include "proxy/app/workers.h"
#include "proxy/base/log.h"
#include "proxy/config/config.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/listener.h"
#include "proxy/http_server/server.h"

namespace idem::app {

namespace {

constexpr int kExitFailed = 1;
constexpr int kExitBadFile = 2;

using SharedConfig = std::shared_ptr<const config::Config>;

// nullptr after the mistakes have been told to `tell`, one call for each.
SharedConfig Load(const std::string& path, Function<void(const config::Mistake&)> tell) {
  auto loaded = config::LoadFile(path, config::ProcessEnvironment());
  if (const auto* mistakes = std::get_if<std::vector<config::Mistake>>(&loaded)) {
    for (const config::Mistake& mistake : *mistakes) tell(mistake);
    return nullptr;
  }
  return std::make_shared<const config::Config>(std::get<config::Config>(std::move(loaded)));
}

void LogWarnings(const config::Config& config) {
  for (const config::Mistake& warning : config.warnings) {
    log::Write(log::Level::kWarn, "config_warning", {{"reason", warning.ToText()}});
  }
}

// What a reload may not change is either made at the start, or says where records lie: a restart
// would be believed to be the cure, and forget them.
std::string_view WhyFixed(std::string_view key) {
  if (key.starts_with("routes.") || key.starts_with("clients.") || key == "store.key_prefix") {
    return " cannot change while running, and a restart with it is refused: every earlier key "
           "would be forgotten, and its retries executed again";
  }
  return " cannot change while running; restart to change it";
}

// Said once at start (semantics.md, "Signature").
void LogWhatSignaturesCover(const config::Config& config) {
  for (const exchange::Route& route : config.routes) {
    if (!route.authenticate || route.authenticate->scheme != auth::Scheme::kHmacBody) continue;
    log::Write(
        log::Level::kInfo, "signature_scope",
        {{"reason",
          "hmac-body covers the body only: neither the key, the path nor the client's name"}});
    return;
  }
}

// What an operator of the embedded store must hear before the first claim is made (semantics.md,
// "The stores").
void LogWhatTheStoreSurvives(const store::StoreOptions& options) {
  if (options.type != store::StoreType::kEmbedded) return;
  if (options.durability == store::Durability::kOs) {
    log::Write(log::Level::kWarn, "store_may_forget",
               {{"reason",
                 "store.durability is `os`: a power loss forgets claims, and a forgotten one can "
                 "be executed twice"}});
  }
  struct statfs file_system {};
  if (statfs(options.path.c_str(), &file_system) == 0 &&
      file_system.f_type == OVERLAYFS_SUPER_MAGIC) {
    log::Write(log::Level::kWarn, "store_may_forget",
               {{"reason",
                 "store.path lies in a container's own layer and goes with the container; put it "
                 "on a volume"},
                {"path", options.path}});
  }
}

// The main thread: signals, the admin listener, and the workers' life.
class Main {
 public:
  Main(std::string path, SharedConfig config, bool accept_new_scope, Process& process)
      : path_(std::move(path)),
        config_(std::move(config)),
        accept_new_scope_(accept_new_scope),
        process_(process),
        workers_(process) {}

  int Run() {
    auto opened = OpenStore(process_, loop_, random_, config_->store, false);
    if (!opened) return Fail(opened.error());
    store_ = std::move(*opened);
    scope_check_.emplace(*store_.notes);
    if (auto status = CheckScopeFirst(); !status) return Fail(status.error());
    if (draining_) return 0;
    if (auto status = StartAdmin(); !status) return Fail(status.error());
    if (auto status = workers_.Start(config_); !status) return Fail(status.error());
    serving_ = true;
    process_.readiness.SetListening();
    for (std::size_t i = 0; i < config_->listen.size(); ++i) {
      log::Write(
          log::Level::kInfo, "listening",
          {{"address", workers_.bound()[i].ToText()}, {"tls", config_->listen[i].tls != nullptr}});
    }
    log::Flush();
    loop_.Run();
    workers_.Join();
    log::Write(log::Level::kInfo, "stopped");
    log::Flush();
    return 0;
  }

 private:
  static int Fail(const Error& error) {
    std::fprintf(stderr, "idemproxy: %s\n", error.detail.c_str());
    return kExitFailed;
  }

  // Before the first claim: earlier keys must lie where this configuration looks for them. A store
  // that is away is asked again, and claims are refused until it has answered.
  Status CheckScopeFirst() {
    std::optional<ScopeAnswer> answer;
    checking_scope_ = scope_check_->Run(*config_, accept_new_scope_, [&](ScopeAnswer given) {
      answer = std::move(given);
      loop_.Stop();
    });
    loop_.Run();
    checking_scope_ = {};
    if (!answer) return Ok();  // a signal came before it
    if (answer->kind == ScopeAnswer::Kind::kDiffers) {
      return Error{ErrorCode::kRefused, WhyScopeRefused(answer->detail)};
    }
    OnScopeChecked(*answer);
    return Ok();
  }

  static std::string WhyScopeRefused(const std::string& differences) {
    return "the store's records lie under another scope than this configuration's; set it back, or "
           "start once with --accept-new-scope, which forgets earlier keys, so that their retries "
           "are executed again: " +
           differences;
  }

  void CheckScopeAgain() {
    checking_scope_ = scope_check_->Run(
        *config_, accept_new_scope_, [this](const ScopeAnswer& answer) { OnScopeChecked(answer); });
  }

  void OnScopeChecked(const ScopeAnswer& answer) {
    if (answer.kind == ScopeAnswer::Kind::kAgreed) return OpenForClaims();
    const bool differs = answer.kind == ScopeAnswer::Kind::kDiffers;
    const std::string why = differs ? WhyScopeRefused(answer.detail) : answer.detail;
    if (std::exchange(scope_told_, why) != why) {
      log::Write(differs ? log::Level::kError : log::Level::kWarn, "scope_unchecked",
                 {{"reason", std::string_view(why)},
                  {"effect", "requests with a key get 503 until this is settled"}});
      log::Flush();
    }
    process_.claim_gate.StayClosed(why);
    CheckScopeLater();
  }

  void CheckScopeLater() {
    constexpr auto kPause = std::chrono::seconds(1);
    scope_retry_ = loop_.After(kPause, [this] { CheckScopeAgain(); });
  }

  void OpenForClaims() {
    accept_new_scope_ = false;  // it was for the start
    if (!scope_told_.empty()) log::Write(log::Level::kInfo, "scope_checked");
    scope_told_.clear();
    process_.claim_gate.Open();
  }

  Status StartAdmin() {
    if (!config_->admin) return Ok();
    if (auto free = event::Listener::CheckFree(*config_->admin); !free) return free;
    records_api_.emplace(loop_, *store_.records, *store_.index,
                         [this](std::string_view route) { return TtlOf(route); });
    admin_.emplace(
        loop_, process_.readiness, [this] { return RenderMetrics(); }, *records_api_);
    admin_->SetToken(config_->admin_token);
    auto server =
        http_server::Server::Start(loop_, *config_->admin, {}, *admin_, admin_connections_);
    if (!server) return std::move(server).error();
    admin_server_ = std::move(*server);
    log::Write(log::Level::kInfo, "admin_listening",
               {{"address", admin_server_->bound().ToText()}});
    return Ok();
  }

  // Of a route that is gone, the default.
  [[nodiscard]] idempotency::Milliseconds TtlOf(std::string_view name) const {
    for (const exchange::Route& route : config_->routes) {
      if (route.name == name && route.idempotency) return route.idempotency->ttl;
    }
    return idempotency::Policy().ttl;
  }

  std::string RenderMetrics() {
    process_.metrics.client_connections.Set(static_cast<std::int64_t>(process_.connections.load()));
    process_.metrics.waiters.Set(static_cast<std::int64_t>(process_.waiters.count()));
    process_.metrics.unrecorded.Set(static_cast<std::int64_t>(process_.unrecorded.count.load()));
    process_.metrics.unrecorded_bytes.Set(
        static_cast<std::int64_t>(process_.unrecorded.bytes.load()));
    return process_.metrics.Render();
  }

  // All of it or none of it.
  void OnReload() {
    if (draining_ || !serving_) {
      log::Write(log::Level::kError, "reload_refused",
                 {{"reason", draining_ ? "the process is draining" : "the process is starting"}});
      return;
    }
    const SharedConfig next = Load(path_, [](const config::Mistake& mistake) {
      log::Write(log::Level::kError, "reload_refused", {{"reason", mistake.ToText()}});
    });
    if (!next) return;
    const auto fixed = config::NotReloadable(*config_, *next);
    for (const std::string& key : fixed) {
      log::Write(log::Level::kError, "reload_refused",
                 {{"reason", key + std::string(WhyFixed(key))}});
    }
    if (!fixed.empty() || !CanListen(*next)) return;
    // What is new must lie in the store before the first claim is made under it.
    const bool one_was_checked = std::exchange(checking_reload_, false);
    if (one_was_checked) checking_scope_ = {};  // this file is newer than that one
    if (ScopesOf(*next) == ScopesOf(*config_)) {
      Apply(next);
      if (one_was_checked) CheckScopeAgain();
      return;
    }
    checking_reload_ = true;
    scope_retry_ = {};
    checking_scope_ = {};
    checking_scope_ = scope_check_->Run(
        *next, false, [this, next](const ScopeAnswer& answer) { OnReloadChecked(next, answer); });
  }

  void OnReloadChecked(const SharedConfig& next, const ScopeAnswer& answer) {
    checking_reload_ = false;
    if (answer.kind == ScopeAnswer::Kind::kAgreed && !draining_) {
      OpenForClaims();
      return Apply(next);
    }
    const std::string why = answer.kind == ScopeAnswer::Kind::kDiffers
                                ? WhyScopeRefused(answer.detail)
                                : "the store cannot be asked: " + answer.detail;
    log::Write(log::Level::kError, "reload_refused",
               {{"reason", draining_ ? "the process is draining" : std::string_view(why)}});
    if (process_.claim_gate.why_closed()) CheckScopeLater();
  }

  void Apply(const SharedConfig& next) {
    config_ = next;
    log::Configure(config_->log);
    LogWarnings(*config_);
    RaiseDescriptorLimit(*config_);
    if (admin_) admin_->SetToken(config_->admin_token);
    workers_.Apply(config_);
    log::Write(log::Level::kInfo, "reloaded", {{"file", path_}});
  }

  // Whether the addresses that a reload adds can be bound, tried before any worker changes
  // anything.
  bool CanListen(const config::Config& next) {
    for (const config::Listener& added : next.listen) {
      const auto same = [&](const config::Listener& running) {
        return running.endpoint == added.endpoint;
      };
      if (std::any_of(config_->listen.begin(), config_->listen.end(), same)) continue;
      Status listens = event::Listener::CheckFree(added.endpoint);
      if (listens) {
        auto listener =
            event::Listener::Listen(loop_, added.endpoint, [](int, const event::SocketAddress&) {});
        if (listener) continue;
        listens = listener.error();
      }
      log::Write(log::Level::kError, "reload_refused", {{"reason", listens.error().detail}});
      return false;
    }
    return true;
  }

  void OnTerminate() {
    if (std::exchange(draining_, true)) {
      log::Write(log::Level::kWarn, "stopped_at_once");
      log::Flush();
      std::_Exit(kExitFailed);
    }
    log::Write(log::Level::kInfo, "draining",
               {{"grace_ms", std::int64_t{config_->shutdown_grace.count()}}});
    log::Flush();
    if (!serving_) return loop_.Stop();
    process_.readiness.SetDraining();
    workers_.Drain(config_->shutdown_grace);
    // The signals stay watched, and the admin listener answers, until the last worker has ended.
    waiter_ = std::thread([this] {
      workers_.WaitQuiet();
      loop_.Post([this] {
        waiter_.join();
        loop_.Stop();
      });
    });
  }

  const std::string path_;
  SharedConfig config_;
  bool accept_new_scope_;
  Process& process_;
  event::EventLoop loop_;
  SystemRandom random_;
  Workers workers_;
  StoreClient store_;
  std::optional<ScopeCheck> scope_check_;
  Ticket checking_scope_;
  bool checking_reload_ = false;  // what is checked is a file that would be applied
  Ticket scope_retry_;
  std::string scope_told_;  // the last reason that was logged
  std::optional<admin::RecordsApi> records_api_;
  std::optional<admin::AdminService> admin_;
  std::atomic<std::size_t> admin_connections_{0};
  std::unique_ptr<http_server::Server> admin_server_;
  bool serving_ = false;
  bool draining_ = false;
  std::thread waiter_;
  event::SignalWatch on_hangup_{loop_, SIGHUP, [this] { OnReload(); }};
  event::SignalWatch on_terminate_{loop_, SIGTERM, [this] { OnTerminate(); }};
  event::SignalWatch on_interrupt_{loop_, SIGINT, [this] { OnTerminate(); }};
};

}  // namespace

int Run(const std::string& config_path, bool accept_new_scope) {
  const SharedConfig config = Load(config_path, [](const config::Mistake& mistake) {
    std::fprintf(stderr, "%s\n", mistake.ToText().c_str());
  });
  if (!config) return kExitBadFile;
  log::Configure(config->log);
  LogWarnings(*config);
  LogWhatSignaturesCover(*config);
  RaiseDescriptorLimit(*config);
  auto process = Process::Open(*config);
  if (!process) {
    log::Flush();
    std::fprintf(stderr, "idemproxy: %s\n", process.error().detail.c_str());
    return kExitFailed;
  }
  LogWhatTheStoreSurvives(config->store);
  return Main(config_path, config, accept_new_scope, **process).Run();
}

}  // namespace idem::app
