#include "proxy/app/supervisor.h"

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

#include "proxy/app/admin_listener.h"
#include "proxy/app/descriptor_limit.h"
#include "proxy/app/scope_guard.h"
#include "proxy/app/shared_state.h"
#include "proxy/app/startup_warnings.h"
#include "proxy/app/store_factory.h"
#include "proxy/app/worker_pool.h"
#include "proxy/base/log.h"
#include "proxy/config/config.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/listener.h"

namespace idem::app {

namespace {

using SharedConfig = std::shared_ptr<const config::Config>;

// Returns nullptr after calling `tell` once for each error.
SharedConfig Load(const std::string& path, Function<void(const config::ConfigError&)> tell) {
  auto loaded = config::LoadFile(path, config::ProcessEnvironment());
  if (const auto* mistakes = std::get_if<std::vector<config::ConfigError>>(&loaded)) {
    for (const config::ConfigError& mistake : *mistakes) tell(mistake);
    return nullptr;
  }
  return std::make_shared<const config::Config>(std::get<config::Config>(std::move(loaded)));
}

// A setting with `change` forms the keys of records. Its text must not suggest a restart, which
// would forget them.
std::string RestartReason(const config::RestartOnlyChange& fixed) {
  if (fixed.change.empty()) return fixed.key + " cannot change while running; restart to change it";
  return fixed.key + " cannot change while running, " + fixed.change +
         ", and a restart with it is refused: every earlier key would be forgotten, and its "
         "retries executed again";
}

// Blocks SIGHUP until it is watched. Otherwise a request to reload would end a process that still
// waits for its store. Threads that are created in between inherit the block.
void HoldHangup(bool held) {
  sigset_t hangup;
  sigemptyset(&hangup);
  sigaddset(&hangup, SIGHUP);
  pthread_sigmask(held ? SIG_BLOCK : SIG_UNBLOCK, &hangup, nullptr);
}

// The main thread: signals, the admin listener, and the workers' life.
class Supervisor {
 public:
  Supervisor(std::string path, SharedConfig config, bool accept_new_scope, SharedState& process)
      : path_(std::move(path)),
        config_(std::move(config)),
        accept_new_scope_(accept_new_scope),
        process_(process),
        workers_(process) {
    HoldHangup(false);  // it is watched now
  }

  ExitCode Run() {
    auto opened = OpenStore(process_, loop_, random_, config_->store, false);
    if (!opened) return Fail(opened.error());
    store_ = std::move(*opened);
    scope_check_.emplace(*store_.notes);
    if (auto status = CheckScopeFirst(); !status) return Fail(status.error());
    if (draining_) return kExitOk;
    if (config_->admin) {
      admin_.emplace(loop_, process_, store_, config_);
      if (auto status = admin_->Start(); !status) return Fail(status.error());
    }
    if (auto status = workers_.Start(config_); !status) return Fail(status.error());
    serving_ = true;
    process_.readiness.SetListening();
    for (std::size_t i = 0; i < config_->listen.size(); ++i) {
      log::Write(
          log::Level::kInfo, "listening",
          {{"address", workers_.bound()[i].ToText()}, {"tls", config_->listen[i].tls != nullptr}});
    }
    log::Flush();
    if (reload_asked_) OnReload();
    loop_.Run();
    workers_.Join();
    log::Write(log::Level::kInfo, "stopped");
    log::Flush();
    return kExitOk;
  }

 private:
  static ExitCode Fail(const Error& error) {
    std::fprintf(stderr, "idemproxy: %s\n", error.detail.c_str());
    return kExitRefused;
  }

  // Runs before the first claim, because earlier keys must be found under this configuration. If
  // the store is unreachable, the check is repeated, and claims are refused until it succeeds.
  Status CheckScopeFirst() {
    std::optional<ScopeAnswer> answer;
    checking_scope_ = scope_check_->Run(*config_, accept_new_scope_, [&](ScopeAnswer given) {
      answer = std::move(given);
      loop_.Stop();
    });
    loop_.Run();
    checking_scope_ = {};
    if (!answer) return Ok();  // a signal ended the wait
    if (answer->kind == ScopeAnswer::Kind::kDiffers) {
      return Error{ErrorCode::kRefused, ScopeRefusal(answer->detail)};
    }
    OnScopeChecked(*answer);
    return Ok();
  }

  static std::string ScopeRefusal(const std::string& differences) {
    return "the store's records were written under another scope than this configuration's. Set "
           "the scope back, or start once with --accept-new-scope, which forgets earlier keys, so "
           "that their retries are executed again: " +
           differences;
  }

  void CheckScopeAgain() {
    checking_scope_ = scope_check_->Run(
        *config_, accept_new_scope_, [this](const ScopeAnswer& answer) { OnScopeChecked(answer); });
  }

  void OnScopeChecked(const ScopeAnswer& answer) {
    if (answer.kind == ScopeAnswer::Kind::kAgreed) return OpenForClaims();
    const bool differs = answer.kind == ScopeAnswer::Kind::kDiffers;
    const std::string why = differs ? ScopeRefusal(answer.detail) : answer.detail;
    if (std::exchange(scope_told_, why) != why) {
      log::Write(differs ? log::Level::kError : log::Level::kWarn, "scope_unchecked",
                 {{"reason", std::string_view(why)},
                  {"effect", "requests with a key get 503 until this is resolved"}});
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
    accept_new_scope_ = false;  // it is valid for the start only
    if (!scope_told_.empty()) log::Write(log::Level::kInfo, "scope_checked");
    scope_told_.clear();
    process_.claim_gate.Open();
  }

  // Applies the new file completely or not at all.
  void OnReload() {
    if (draining_) {
      log::Write(log::Level::kError, "reload_refused", {{"reason", "the process is draining"}});
      return;
    }
    if (!serving_) {
      reload_asked_ = true;  // the running configuration was read before the signal
      return;
    }
    const SharedConfig next = Load(path_, [](const config::ConfigError& mistake) {
      log::Write(log::Level::kError, "reload_refused", {{"reason", mistake.ToText()}});
    });
    if (!next) return;
    const auto fixed = config::RestartOnlyChanges(*config_, *next);
    for (const config::RestartOnlyChange& key : fixed) {
      log::Write(log::Level::kError, "reload_refused", {{"reason", RestartReason(key)}});
    }
    if (!fixed.empty() || !CanListen(*next)) return;
    // New scopes must be in the store before the first claim under them.
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
                                ? ScopeRefusal(answer.detail)
                                : "the store could not be read: " + answer.detail;
    log::Write(log::Level::kError, "reload_refused",
               {{"reason", draining_ ? "the process is draining" : std::string_view(why)}});
    if (process_.claim_gate.why_closed()) CheckScopeLater();
  }

  void Apply(const SharedConfig& next) {
    config_ = next;
    log::Configure(config_->log);
    LogWarnings(*config_);
    RaiseDescriptorLimit(*config_);
    if (admin_) admin_->Apply(config_);
    workers_.Apply(config_);
    log::Write(log::Level::kInfo, "reloaded", {{"file", path_}});
  }

  // Returns true if the addresses that a reload adds can be bound. Called before any worker
  // changes.
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
      std::_Exit(kExitRefused);
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
  SharedState& process_;
  event::EventLoop loop_;
  SystemRandom random_;
  WorkerPool workers_;
  StoreClient store_;
  std::optional<ScopeGuard> scope_check_;
  Ticket checking_scope_;
  bool checking_reload_ = false;  // the running check belongs to a reload
  Ticket scope_retry_;
  std::string scope_told_;  // the last reason that was logged
  std::optional<AdminListener> admin_;
  bool serving_ = false;
  bool reload_asked_ = false;  // before it served
  bool draining_ = false;
  std::thread waiter_;
  event::SignalWatch on_hangup_{loop_, SIGHUP, [this] { OnReload(); }};
  event::SignalWatch on_terminate_{loop_, SIGTERM, [this] { OnTerminate(); }};
  event::SignalWatch on_interrupt_{loop_, SIGINT, [this] { OnTerminate(); }};
};

}  // namespace

ExitCode Run(const std::string& config_path, bool accept_new_scope) {
  HoldHangup(true);
  std::signal(SIGPIPE, SIG_IGN);  // who read the log may end; what executes goes on
  const SharedConfig config = Load(config_path, [](const config::ConfigError& mistake) {
    std::fprintf(stderr, "%s\n", mistake.ToText().c_str());
  });
  if (!config) return kExitMistake;
  log::Configure(config->log);
  LogWarnings(*config);
  LogSignatureCoverage(config->routes);
  RaiseDescriptorLimit(*config);
  auto process = SharedState::Open(*config);
  if (!process) {
    log::Flush();
    std::fprintf(stderr, "idemproxy: %s\n", process.error().detail.c_str());
    return kExitRefused;
  }
  LogDurabilityRisks(config->store);
  return Supervisor(config_path, config, accept_new_scope, **process).Run();
}

}  // namespace idem::app
