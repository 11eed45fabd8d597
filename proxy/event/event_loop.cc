#include "proxy/event/event_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/event/raw_event.h"

namespace idem::event {
namespace {

constexpr std::size_t kReadScratchBytes = 64 * 1024;
/// Rounds of tasks between two polls of the sockets. A chain of short tasks (a store answers, the
/// exchange goes on) needs no epoll_wait between its links, and an endless chain starves no socket.
constexpr int kRoundsPerLook = 8;

struct FreeBase {
  void operator()(event_base* base) const { event_base_free(base); }
};

std::unique_ptr<event_base, FreeBase> NewBase() {
  event_config* config = event_config_new();
  INVARIANT(config != nullptr);
  // Only the loop's thread calls libevent, so it needs no locks. Other threads use the eventfd.
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
  std::unique_ptr<event_base, FreeBase> base(event_base_new_with_config(config));
  event_config_free(config);
  INVARIANT(base != nullptr);
  return base;
}

}  // namespace

/// One After(). The caller's ticket owns it and, while it is armed, the loop too.
struct EventLoop::Timer final : ticket_internal::Question {
  Timer(Impl& owner, Duration delay, Function<void()> on_due);
  void Withdraw() override;
  void Disarm();
  void Fire();
  static void OnEvent(evutil_socket_t, short, void* timer) noexcept {
    static_cast<Timer*>(timer)->Fire();
  }

  Impl& loop;
  Function<void()> task;
  BootTime due;
  RawEvent event;
  bool armed = true;
  Timer* previous = nullptr;  // the list of armed timers
  Timer* next = nullptr;
};

struct EventLoop::Impl {
  Impl();
  ~Impl();
  void RunTasks();
  void RunRound();
  bool MayBlock();
  void OnWake() const;

  std::unique_ptr<event_base, FreeBase> base = NewBase();
  std::thread::id thread = std::this_thread::get_id();
  std::unique_ptr<char[]> scratch = std::make_unique_for_overwrite<char[]>(kReadScratchBytes);
  bool stopped = false;

  std::vector<Function<void()>> tasks;    // for the next turn
  std::vector<Function<void()>> running;  // of this turn; a member to keep its memory
  std::vector<std::unique_ptr<Retirable>> retired;
  Timer* timers = nullptr;

  int wake_socket = -1;
  RawEvent wake;
  std::mutex mutex;
  std::vector<Function<void()>> from_others;  // under `mutex`
  bool asleep = false;                        // under `mutex`: the next Post() must wake the loop
};

EventLoop::Impl::Impl() {
  wake_socket = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  INVARIANT(wake_socket >= 0);
  wake.Assign(
      base.get(), wake_socket, EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* impl) noexcept { static_cast<Impl*>(impl)->OnWake(); },
      this);
  wake.Add();
}

EventLoop::Impl::~Impl() {
  // A destructor may post, retire and drop tickets, so this repeats until nothing is left.
  while (!tasks.empty() || !retired.empty() || !from_others.empty() || timers != nullptr) {
    std::exchange(retired, {}).clear();
    std::exchange(tasks, {}).clear();
    std::exchange(from_others, {}).clear();
    if (timers != nullptr) {
      const ticket_internal::Owner<Timer> last(timers);
      timers->Disarm();
      last->task = nullptr;
      last->awaited = false;
    }
  }
  wake.Remove();
  close(wake_socket);
}

void EventLoop::Impl::OnWake() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_socket, &count, sizeof count);
}

void EventLoop::Impl::RunTasks() {
  for (int round = 0; round < kRoundsPerLook && !stopped; ++round) {
    if (tasks.empty() && retired.empty()) return;
    RunRound();
  }
}

void EventLoop::Impl::RunRound() {
  std::exchange(retired, {}).clear();
  std::swap(tasks, running);
  for (Function<void()>& task : running) {
    task();
    task = nullptr;  // frees what the task owns now, not at the end of the round
  }
  running.clear();
}

/// Takes the tasks of other threads. Returns true if the loop has no task and may wait for events.
bool EventLoop::Impl::MayBlock() {
  const std::lock_guard lock(mutex);
  for (Function<void()>& task : from_others) tasks.push_back(std::move(task));
  from_others.clear();
  asleep = tasks.empty() && retired.empty();
  return asleep;
}

EventLoop::Timer::Timer(Impl& owner, Duration delay, Function<void()> on_due)
    : loop(owner),
      task(std::move(on_due)),
      due(BootClock::now() + delay),
      next(std::exchange(owner.timers, this)) {
  owners.store(2, std::memory_order_relaxed);
  if (next != nullptr) next->previous = this;
  event.Assign(owner.base.get(), -1, 0, OnEvent, this);
  event.Add(delay);
}

void EventLoop::Timer::Disarm() {
  event.Unassign();  // the ticket may outlive the loop
  armed = false;
  (previous != nullptr ? previous->next : loop.timers) = next;
  if (next != nullptr) next->previous = previous;
}

void EventLoop::Timer::Withdraw() {
  awaited.store(false, std::memory_order_relaxed);
  task = nullptr;
  if (!armed) return;
  Disarm();
  owners.fetch_sub(1, std::memory_order_relaxed);  // the loop's; the ticket still owns the timer
}

void EventLoop::Timer::Fire() {
  // libevent may be early: it uses a coarse clock and counts from the beginning of its turn.
  event.NoteRemoved();
  if (const Duration left = due - BootClock::now(); left > Duration::zero()) {
    event.Add(left);
    return;
  }
  const ticket_internal::Owner<Timer> last(this);
  Disarm();
  awaited.store(false, std::memory_order_relaxed);
  auto due_task = std::move(task);
  due_task();
}

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::Post(Function<void()> task) {
  if (std::this_thread::get_id() == impl_->thread) {
    impl_->tasks.push_back(std::move(task));
    return;
  }
  bool wake = false;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->from_others.push_back(std::move(task));
    wake = std::exchange(impl_->asleep, false);
    // Under the lock, because the task may end the loop, which closes the socket.
    if (wake) {
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t sent = write(impl_->wake_socket, &one, sizeof one);
    }
  }
}

Ticket EventLoop::After(Duration delay, Function<void()> task) {
  return Ticket(new Timer(*impl_, delay, std::move(task)));
}

void EventLoop::DeleteLater(std::unique_ptr<Retirable> retired) {
  impl_->retired.push_back(std::move(retired));
}

void EventLoop::Run() {
  impl_->stopped = false;
  while (true) {
    impl_->RunTasks();
    if (impl_->stopped) return;
    const int wait = impl_->MayBlock() ? 0 : EVLOOP_NONBLOCK;
    event_base_loop(impl_->base.get(), EVLOOP_ONCE | wait);
  }
}

void EventLoop::Stop() {
  Post([impl = impl_.get()] { impl->stopped = true; });
}

event_base* EventLoop::base() const { return impl_->base.get(); }

std::span<char> EventLoop::read_scratch() { return {impl_->scratch.get(), kReadScratchBytes}; }

}  // namespace idem::event
