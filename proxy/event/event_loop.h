// The event loop over libevent. Only this folder includes libevent and OpenSSL's TLS.
#pragma once

#include <memory>
#include <span>

#include "proxy/base/loop.h"

struct event_base;

namespace idem::event {

/// The loop of one thread, which makes, runs and destroys it. Any thread may call Post() and
/// Stop().
///
/// A turn runs the tasks posted before it, then polls sockets and timers. A task posted by a task
/// runs one turn later. If tasks keep coming, sockets are still polled every few turns. Posting
/// needs a system call only from another thread, and only while the loop sleeps.
class EventLoop final : public Loop {
 public:
  EventLoop();
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Post(Function<void()> task) override;
  [[nodiscard]] Ticket After(Duration delay, Function<void()> task) override;
  void DeleteLater(std::unique_ptr<Retirable> retired) override;
  [[nodiscard]] BootTime Now() const override { return BootClock::now(); }

  /// Runs turns until Stop(). Tasks that have not run by then are destroyed with the loop.
  void Run();
  void Stop();

  [[nodiscard]] event_base* base() const;
  /// A buffer for one read(), shared by all connections of this loop, so that an idle connection
  /// needs none. Its content is valid until the callback that filled it returns.
  [[nodiscard]] std::span<char> read_scratch();

 private:
  struct Impl;
  struct Timer;
  std::unique_ptr<Impl> impl_;
};

/// Calls `on_ready` when a socket that another library owns (libpq's) is readable or writable.
/// Watches nothing until Want().
class SocketWatch {
 public:
  struct Ready {
    bool readable = false;
    bool writable = false;
  };
  SocketWatch(EventLoop& loop, int socket, Function<void(Ready)> on_ready);
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;
  void Want(bool read, bool write);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Calls `on_signal` on this loop for each arrival of a signal. One loop of a process may watch
/// signals.
class SignalWatch {
 public:
  SignalWatch(EventLoop& loop, int signal_number, Function<void()> on_signal);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace idem::event
