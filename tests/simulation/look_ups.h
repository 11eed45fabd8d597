// One proxy's link for look-ups at the backend (semantics.md, "Reconcile"). The answer is what the
// backend shows when the look-up arrives. The loss of an answer is drawn.
#pragma once

#include <deque>
#include <memory>

#include "proxy/ports/upstream.h"
#include "tests/simulation/store_link.h"

namespace idem::simulation {

class Backend;

class LookUps {
 public:
  LookUps(Backend& backend, ProcessLoop& loop, std::size_t process);
  ~LookUps();

  /// `head` is a GET for the attempt that its request id names. `events` is called until the call
  /// is dropped.
  [[nodiscard]] std::unique_ptr<ports::UpstreamCall> Send(const http::RequestHead& head,
                                                          ports::UpstreamEvents& events);

 private:
  enum class Fate : std::uint8_t { kAnswered, kServerError, kTimeout, kTruncated, kTooLarge };
  struct Running;
  struct Handle;

  [[nodiscard]] Fate DrawFate();
  void Receive(Running& running);
  void Show(Running& running);
  void RespondLater(Running& running);
  void Respond(Running& running);

  Backend& backend_;
  ProcessLoop& loop_;
  const std::size_t process_;
  std::deque<std::unique_ptr<Running>> running_;  // kept until the world ends
};

}  // namespace idem::simulation
