// A pool of connections to one database, with a queue. Lost connections are opened again.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "proxy/libpq/database_connection.h"

namespace idem::libpq {

struct PoolOptions {
  ConnectionOptions connection;
  std::size_t connections = 4;
  std::size_t waiting_max = 10'000;                    // statements without a connection
  Duration pause_min = std::chrono::milliseconds(50);  // before a new attempt; doubles each time
  Duration pause_max = std::chrono::seconds(1);
};

/// Runs on one loop and outlives its users.
class Pool {
 public:
  Pool(event::EventLoop& loop, event::Resolver& resolver, Url url, PoolOptions options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Calls `make` when a connection is free, so that the statement can contain everything up to
  /// that moment, and runs the statement. Connections are given in the order of the calls.
  ///
  /// Without a connection after `wait` (or at once, when the database has been away for that long
  /// already) the answer is kUnavailable, `Delivery::kNotSent`, and the statement is never made.
  /// See Connection::Run for the other answers.
  [[nodiscard]] Ticket Run(Function<Statement()> make, Duration wait,
                           Connection::OnAnswer on_answer);

  /// Returns true if at least one connection is open.
  [[nodiscard]] bool reachable() const { return reachable_; }

 private:
  class Slot;
  struct Job {
    Function<Statement()> make;
    Completion<Result<Rows>> answer;
    BootTime deadline;
    Ticket expiry;
  };

  void DispatchLater();
  void Dispatch();
  Slot* IdleSlot();
  void ExpireJobs();
  void NoteReachable();
  void NoteTrouble(const Error& error);

  event::EventLoop& loop_;
  event::Resolver& resolver_;
  const Url url_;
  const PoolOptions options_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::deque<Job> jobs_;
  bool reachable_ = false;
  BootTime unreachable_since_;
  std::optional<ErrorCode> reported_;  // the last error that was logged
  Ticket dispatching_;
};

}  // namespace idem::libpq
