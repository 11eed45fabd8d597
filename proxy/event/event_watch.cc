// SocketWatch and SignalWatch.
#include <utility>

#include "proxy/event/destruction_guard.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/raw_event.h"

namespace idem::event {
namespace {

/// Calls `callback`, which may destroy the object that it is a member of.
template <class... Args>
void CallGuarded(DestructionGuard& lifeline, Function<void(Args...)>& callback, Args... args) {
  const DestructionGuard::Watch watch(lifeline);
  auto running = std::move(callback);
  running(args...);
  if (!watch.destroyed()) callback = std::move(running);
}

}  // namespace

struct SocketWatch::Impl {
  static void OnEvent(evutil_socket_t, short what, void* impl) noexcept {
    auto& self = *static_cast<Impl*>(impl);
    CallGuarded(self.lifeline, self.on_ready,
                Ready{.readable = (what & EV_READ) != 0, .writable = (what & EV_WRITE) != 0});
  }
  Function<void(Ready)> on_ready;
  DestructionGuard lifeline;
  RawEvent read, write;
};

SocketWatch::SocketWatch(EventLoop& loop, int socket, Function<void(Ready)> on_ready)
    : impl_(std::make_unique<Impl>()) {
  impl_->on_ready = std::move(on_ready);
  impl_->read.Assign(loop.base(), socket, EV_READ | EV_PERSIST, Impl::OnEvent, impl_.get());
  impl_->write.Assign(loop.base(), socket, EV_WRITE | EV_PERSIST, Impl::OnEvent, impl_.get());
}

SocketWatch::~SocketWatch() = default;

void SocketWatch::Want(bool read, bool write) {
  read ? impl_->read.Add() : impl_->read.Remove();
  write ? impl_->write.Add() : impl_->write.Remove();
}

struct SignalWatch::Impl {
  static void OnEvent(evutil_socket_t, short, void* impl) noexcept {
    auto& self = *static_cast<Impl*>(impl);
    CallGuarded(self.lifeline, self.on_signal);
  }
  Function<void()> on_signal;
  DestructionGuard lifeline;
  RawEvent event;
};

SignalWatch::SignalWatch(EventLoop& loop, int signal_number, Function<void()> on_signal)
    : impl_(std::make_unique<Impl>()) {
  impl_->on_signal = std::move(on_signal);
  impl_->event.Assign(loop.base(), signal_number, EV_SIGNAL | EV_PERSIST, Impl::OnEvent,
                      impl_.get());
  impl_->event.Add();
}

SignalWatch::~SignalWatch() = default;

}  // namespace idem::event
