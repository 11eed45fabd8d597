// The one connection of a store to its server. The link connects again whenever it is lost:
//
//   Start() ─▶ connecting ──── set up ────▶ ready
//                ▲   │ refused, failed        │ lost, Drop()
//                │   ▼                        │
//               pausing ◀─────────────────────┘
//
// ReconnectBackoff decides how long a pause is. A derived class opens the connection and sets it
// up.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/base/random.h"
#include "proxy/base/result.h"
#include "proxy/store/remote/first_connect.h"
#include "proxy/store/remote/reconnect_backoff.h"

namespace idem::store {

/// The owner of a link. No member is called from inside a call that the owner made.
class RemoteLinkEvents {
 public:
  virtual ~RemoteLinkEvents() = default;
  virtual void OnLinkReady() = 0;
  /// The connection was lost, or an attempt failed. A question that was sent and not answered may
  /// have taken effect.
  virtual void OnLinkLost(const Error& why) = 0;
};

class RemoteLink {
 public:
  RemoteLink(const RemoteLink&) = delete;
  RemoteLink& operator=(const RemoteLink&) = delete;

  void Start();
  /// Gives up the connection on a later turn and makes a new one.
  void Drop(Error why);

  [[nodiscard]] bool ready() const { return state_ == State::kReady; }
  /// Questions may wait for the connection: it is ready, the first one is under way, or the last
  /// one was lost a moment ago.
  [[nodiscard]] bool within_grace() const { return ready() || loop_.Now() < grace_ends_; }
  /// The reason why it is not ready.
  [[nodiscard]] const Error& unavailable_reason() const { return unavailable_reason_; }
  /// The server in error texts: "Redis at 127.0.0.1:6379".
  [[nodiscard]] const std::string& where() const { return where_; }
  /// An error whose detail is where() and `what`.
  [[nodiscard]] Error Fail(ErrorCode code, std::string_view what) const;

  /// Answers once the first attempt has ended: Ok, or why the server cannot be used.
  [[nodiscard]] Ticket WhenTried(Function<void(Status)> on_tried) {
    return first_connect_.WhenOver(std::move(on_tried));
  }

 protected:
  /// Names of log events; literals.
  struct LogEvents {
    std::string_view connected;
    std::string_view may_forget;
    std::string_view unavailable;
  };
  struct Options {
    std::string_view engine;  // "Redis"
    std::string address;      // in where() and in the log
    LogEvents events;
    std::chrono::milliseconds timeout{};  // of a question; the grace is never longer
    bool is_reporter = true;              // logs; one link of a process is enough
  };

  RemoteLink(Loop& loop, Random& random, const Options& options, RemoteLinkEvents& owner);
  virtual ~RemoteLink() = default;

  /// Begins an attempt, which ends with BecomeReady() or Lose().
  virtual void Connect() = 0;
  /// Ends the connection or the attempt. `inside_callback`: a callback of the connection may be
  /// running.
  virtual void Disconnect(bool inside_callback) = 0;

  /// Ends an attempt: logs the server and the risks to what it stores. The last call of a callback.
  void BecomeReady(std::string_view address, std::string_view version,
                   const std::vector<std::string>& risks);
  /// Ends the connection or the attempt, and begins another one after a pause.
  void Lose(Error why);

 private:
  enum class State : std::uint8_t { kStopped, kConnecting, kReady, kPausing };

  void BeginAttempt();

  Loop& loop_;
  RemoteLinkEvents& owner_;
  const Options options_;
  const std::string where_;
  State state_ = State::kStopped;
  Error unavailable_reason_;
  BootTime grace_ends_;
  ReconnectBackoff backoff_;
  FirstConnect first_connect_{loop_};
  Ticket pause_;
  Ticket dropping_;  // a Drop() that is due
};

}  // namespace idem::store
