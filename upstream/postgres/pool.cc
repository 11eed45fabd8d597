#include "upstream/postgres/pool.h"

#include <algorithm>
#include <utility>

#include "proxy/base/log.h"

namespace idem::libpq {

/// Holds one connection, or waits for the next attempt to connect.
class Pool::Slot final : public ConnectionEvents {
 public:
  explicit Slot(Pool& pool) : pool_(pool), pause_(pool.options_.pause_min) { Connect(); }

  [[nodiscard]] bool idle() const { return connection_ && connection_->idle(); }
  [[nodiscard]] bool usable() const { return usable_; }

  void Run(Job job) {
    connection_->Run(job.make(), [answer = std::move(job.answer)](Result<Rows> rows) mutable {
      answer(std::move(rows));
    });
  }

  void OnIdle() override {
    pause_ = pool_.options_.pause_min;
    usable_ = true;
    pool_.NoteReachable();
    pool_.DispatchLater();
  }

  void OnDead(const Error& error) override {
    usable_ = false;
    pool_.loop_.DeleteLater(std::move(connection_));
    retry_ = pool_.loop_.After(pause_, [this] { Connect(); });
    pause_ = std::min(pause_ * 2, pool_.options_.pause_max);
    pool_.NoteTrouble(error);
  }

 private:
  void Connect() {
    connection_ = std::make_unique<Connection>(pool_.loop_, pool_.resolver_, pool_.url_,
                                               pool_.options_.connection, *this);
  }

  Pool& pool_;
  Duration pause_;
  bool usable_ = false;  // connected and set up
  std::unique_ptr<Connection> connection_;
  Ticket retry_;
};

Pool::Pool(event::EventLoop& loop, event::Resolver& resolver, Url url, PoolOptions options)
    : loop_(loop),
      resolver_(resolver),
      url_(std::move(url)),
      options_(std::move(options)),
      unreachable_since_(loop.Now()) {
  for (std::size_t i = 0; i < options_.connections; ++i) {
    slots_.push_back(std::make_unique<Slot>(*this));
  }
}

Pool::~Pool() = default;

Ticket Pool::Run(Function<Statement()> make, Duration wait, Connection::OnAnswer on_answer) {
  const bool hopeless = !reachable_ && loop_.Now() - unreachable_since_ >= wait;
  if (hopeless || jobs_.size() >= options_.waiting_max) wait = Duration::zero();
  auto [ticket, completion] = Ask<Result<Rows>>(std::move(on_answer));
  jobs_.push_back({std::move(make), std::move(completion), loop_.Now() + wait,
                   loop_.After(wait, [this] { ExpireJobs(); })});
  DispatchLater();
  return std::move(ticket);
}

// Waits for a later turn, so that further rows of this turn share the statement.
void Pool::DispatchLater() {
  if (dispatching_.open() || jobs_.empty()) return;
  dispatching_ = loop_.After(Duration::zero(), [this] { Dispatch(); });
}

void Pool::Dispatch() {
  while (!jobs_.empty()) {
    Slot* slot = IdleSlot();
    if (slot == nullptr) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    if (job.answer.awaited()) slot->Run(std::move(job));
  }
}

// Returns the first idle slot. Under light load one connection does all the work.
Pool::Slot* Pool::IdleSlot() {
  const auto found =
      std::find_if(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->idle(); });
  return found == slots_.end() ? nullptr : found->get();
}

void Pool::ExpireJobs() {
  const BootTime now = loop_.Now();
  const auto expired = std::stable_partition(jobs_.begin(), jobs_.end(),
                                             [now](const Job& job) { return job.deadline > now; });
  std::vector<Job> unanswered(std::make_move_iterator(expired),
                              std::make_move_iterator(jobs_.end()));
  jobs_.erase(expired, jobs_.end());
  for (Job& job : unanswered) {
    if (job.answer.awaited()) {
      job.answer(Error{ErrorCode::kUnavailable, "no connection to the database"});
    }
  }
}

void Pool::NoteReachable() {
  if (std::exchange(reachable_, true)) return;
  log::Write(log::Level::kInfo, "database_reachable", {{"database", url_.ToText()}});
  reported_.reset();
}

void Pool::NoteTrouble(const Error& error) {
  const auto usable = [](const auto& slot) { return slot->usable(); };
  if (std::any_of(slots_.begin(), slots_.end(), usable)) return;
  if (std::exchange(reachable_, false)) unreachable_since_ = loop_.Now();
  if (reported_ == error.code) return;
  reported_ = error.code;
  log::Write(log::Level::kWarn, "database_unreachable",
             {{"database", url_.ToText()},
              {"detail", std::string_view(error.detail)},
              {"next", "trying again until it answers"}});
}

}  // namespace idem::libpq
