// The one connection of a store to its database, kept up: whatever happens to it, the next is made.
//
//              Start()
//                 │
//                 ▼   log-in           what are you?     tables and functions
//             connecting ────▶ asking ─────────────▶ preparing ─────▶ ready
//                 ▲              │ refused              │ refused       │
//                 └── pausing ◀──┴──────────────────────┴───────────────┘
//                                     lost, Drop()
//
// The pause is that of reconnection.h.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/base/random.h"
#include "proxy/libpq/database_connection.h"
#include "proxy/store/postgres/postgres_handshake.h"
#include "proxy/store/remote/reconnect_backoff.h"

namespace idem::store {

/// What a link tells its owner, never from inside a call that the owner made.
class PostgresLinkEvents {
 public:
  virtual ~PostgresLinkEvents() = default;
  /// It can take a statement: it became ready, or the last statement was answered.
  virtual void OnLinkIdle() = 0;
  /// Not ready any more, or an attempt failed.
  virtual void OnLinkLost(const Error& why) = 0;
};

class PostgresLink final : private libpq::ConnectionEvents {
 public:
  struct Options {
    bool require_durable = false;
    bool is_reporter = true;  // logs; of a process's many links one is enough
    Duration statement_timeout = std::chrono::seconds(2);  // then the connection is given up
  };

  PostgresLink(event::EventLoop& loop, event::Resolver& resolver, Random& random, libpq::Url url,
               const Options& options, PostgresLinkEvents& events);

  void Start();

  [[nodiscard]] bool ready() const { return state_ == State::kReady; }
  /// Ready, and no statement is running.
  [[nodiscard]] bool idle() const { return ready() && connection_->idle(); }
  /// While it is not ready: why not.
  [[nodiscard]] const Error& unavailable_reason() const { return unavailable_reason_; }
  [[nodiscard]] const std::string& where() const { return where_; }

  /// While idle; see libpq::Connection::Run. It is not answered where OnLinkLost() comes of
  /// Drop().
  void Run(const libpq::Statement& statement, libpq::Connection::OnAnswer on_answer) {
    connection_->Run(statement, std::move(on_answer));
  }

  /// Gives the connection up, on a later turn, and makes a new one.
  void Drop(Error why);

 private:
  enum class State : std::uint8_t { kStopped, kConnecting, kAsking, kPreparing, kReady, kPausing };

  void OnIdle() override;
  void OnDead(const Error& error) override;

  void Connect();
  void AskFacts();
  void Prepare();
  void BeReady();
  void Lose(Error why);

  event::EventLoop& loop_;
  event::Resolver& resolver_;
  const libpq::Url url_;
  const Options options_;
  PostgresLinkEvents& events_;
  const std::string where_;  // "PostgreSQL at 127.0.0.1:5432/payments"
  const libpq::ConnectionOptions connection_options_;

  State state_ = State::kStopped;
  Error unavailable_reason_;
  ReconnectBackoff reconnection_;
  std::optional<Error> refusal_;  // what the last answer of a set-up told
  PostgresServerSettings facts_;
  std::unique_ptr<libpq::Connection> connection_;
  Ticket timer_;     // the pause
  Ticket dropping_;  // a Drop() that is not yet done
};

}  // namespace idem::store
