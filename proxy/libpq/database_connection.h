// One connection to PostgreSQL over asynchronous libpq. No call here blocks the loop. A dead
// connection is not reopened; its owner opens another one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/base/function.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/resolver.h"
#include "proxy/libpq/statement.h"
#include "proxy/libpq/url.h"

struct pg_conn;
struct pg_result;

namespace idem::libpq {

/// Events for the owner of a connection. None is called from inside a call that the owner made.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  /// The connection can take a statement: it is set up, or the last statement was answered.
  virtual void OnIdle() = 0;
  /// The connection is dead. This is the last call; hand the connection to Loop::DeleteLater.
  /// kRefused means that the server denied the log-in or the set-up and would deny it again.
  virtual void OnDead(const Error& error) = 0;
};

struct ConnectionOptions {
  Duration connect_timeout = std::chrono::seconds(5);     // name look-up, TLS and log-in together
  Duration statement_timeout = std::chrono::seconds(10);  // above it the connection is closed
  std::string setup;             // SQL that each new connection runs before OnIdle; "" for none
  std::string application_name;  // shown in pg_stat_activity
};

class Connection final : public Retirable {
 public:
  using OnAnswer = Function<void(Result<Rows>)>;

  /// Begins to connect. OnIdle or OnDead follows.
  Connection(event::EventLoop& loop, event::Resolver& resolver, const Url& url,
             const ConnectionOptions& options, ConnectionEvents& events);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] bool idle() const { return state_ == State::kIdle; }

  /// Runs one statement in its own transaction. Requires an idle connection. The answer comes
  /// before OnIdle or OnDead; it never comes if the connection is destroyed first.
  ///
  /// Errors of the connection are `Delivery::kMaybeSent`, because the server may have committed.
  /// The same holds if the server committed locally but stopped waiting for a synchronous standby;
  /// the connection ends then. Errors of the statement are `Delivery::kNotSent`: kInvalid if its
  /// values are at fault, kUnavailable if a retry may help, otherwise kRefused.
  void Run(const Statement& statement, OnAnswer on_answer);

 private:
  enum class State { kResolving, kConnecting, kSettingUp, kIdle, kRunning, kDead };
  struct Close {
    void operator()(pg_conn* connection) const;
  };

  void Begin();
  void Connect(const std::string& addresses);
  void PollConnect();
  void OnConnected();
  void OnSocket(event::SocketWatch::Ready ready);
  void Watch(bool read, bool write);
  void Flush();
  void Read();
  void KeepResult(pg_result* result);
  static void OnNotice(void* connection, const pg_result* notice) noexcept;
  void OnStatementEnd();
  void Die(Error error);
  void DieOfLibpq(const char* doing);

  event::EventLoop& loop_;
  event::Resolver& resolver_;
  const Url& url_;
  const ConnectionOptions& options_;
  ConnectionEvents& events_;

  State state_ = State::kResolving;
  std::unique_ptr<pg_conn, Close> connection_;
  std::unique_ptr<event::SocketWatch> watch_;  // destroyed before the socket that it watches
  OnAnswer on_answer_;
  std::optional<Result<Rows>> answer_;
  // If not empty: the statement is committed here, but not on a required standby.
  std::string warning_;
  Ticket resolving_;
  Ticket deadline_;
  Ticket later_;
};

}  // namespace idem::libpq
