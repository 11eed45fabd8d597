// The loop as all parts see it: it gives the time and runs tasks one after another on one thread.
// event::EventLoop implements it over libevent; the simulation implements it over a virtual clock.
#pragma once

#include <memory>

#include "proxy/base/clock.h"
#include "proxy/base/function.h"
#include "proxy/base/ticket.h"

namespace idem {

/// Base of objects that Loop::DeleteLater accepts.
class Retirable {
 public:
  virtual ~Retirable() = default;
};

class Loop {
 public:
  virtual ~Loop() = default;

  /// Runs `task` on a later turn of this loop, in the order of posting. This is the only member
  /// that any thread may call; a call from another thread also wakes the loop. Tasks that are still
  /// queued when the loop is destroyed are destroyed without running.
  virtual void Post(Function<void()> task) = 0;

  /// Runs `task` once, on this loop, not before `delay` has passed. Dropping the ticket cancels it.
  [[nodiscard]] virtual Ticket After(Duration delay, Function<void()> task) = 0;

  /// Destroys `retired` on a later turn, because no object may be destroyed inside its own
  /// callback.
  virtual void DeleteLater(std::unique_ptr<Retirable> retired) = 0;

  /// Returns the current time. It is read at every call, so that a long turn sees time pass.
  [[nodiscard]] virtual BootTime Now() const = 0;
};

}  // namespace idem
