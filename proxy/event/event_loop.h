// Loop over libevent. With connection, listener and resolver this folder is the only home of
// libevent and of TLS.
#pragma once

#include <memory>
#include <span>

#include "proxy/base/loop.h"

struct event_base;

namespace idem::event {

/// One thread's loop. Made, run and destroyed on that thread; Post() and Stop() may be called from
/// any.
///
/// A turn runs what was posted before it, then looks at sockets and timers. What a task posts runs
/// a turn later; where more is posted than the loop can do, sockets are looked at every few turns
/// all the same. Posting on the loop's own thread costs no system call, and from another one only
/// where the loop sleeps.
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

  /// Turns until Stop(); what was posted before that has run or is destroyed with the loop.
  void Run();
  void Stop();

  [[nodiscard]] event_base* base() const;
  /// A buffer for one read(), shared by all connections of this loop, so that an idle one needs
  /// none. What lies in it is good until the callback that filled it returns.
  [[nodiscard]] std::span<char> read_scratch();

 private:
  struct Impl;
  struct Timer;
  std::unique_ptr<Impl> impl_;
};

/// Tells when a socket that another library owns (libpq's) can be read or written. Watches nothing
/// until Want().
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
