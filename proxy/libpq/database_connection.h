// One connection to PostgreSQL, from its first byte to its last, over asynchronous libpq: no call
// here ever blocks the loop. It does not come back by itself; that is the pool's work.
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

/// What a connection tells its owner, never from inside a call that the owner made.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  /// It can take a statement: connected and set up, or the last statement was answered.
  virtual void OnIdle() = 0;
  /// It is dead. The last call: hand it to Loop::DeleteLater. kRefused: the server denied the
  /// log-in, or the set-up, and will again.
  virtual void OnDead(const Error& error) = 0;
};

struct ConnectionOptions {
  Duration connect_timeout = std::chrono::seconds(5);     // look-up, TLS and log-in together
  Duration statement_timeout = std::chrono::seconds(10);  // beyond it the connection is given up
  std::string setup;             // SQL that each new connection runs before it serves; "" for none
  std::string application_name;  // what pg_stat_activity shows
};

class Connection final : public Retirable {
 public:
  using OnAnswer = Function<void(Result<Rows>)>;

  /// Begins to connect; OnIdle or OnDead follows.
  Connection(event::EventLoop& loop, event::Resolver& resolver, const Url& url,
             const ConnectionOptions& options, ConnectionEvents& events);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] bool idle() const { return state_ == State::kIdle; }

  /// Runs one statement in a transaction of its own; only while idle. The answer comes before
  /// OnIdle or OnDead; it never comes if this is destroyed first. Errors of the connection are
  /// `Delivery::kMaybeSent`: the server may have committed; so is a commit that was done here, while a
  /// synchronous standby was no longer waited for, and the connection ends with it. Errors of the
  /// statement itself are `Delivery::kNotSent`: kInvalid if its values are at fault, kUnavailable if
  /// trying again may help, else kRefused.
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
  std::unique_ptr<event::SocketWatch> watch_;  // dies before the socket it watches
  OnAnswer on_answer_;
  std::optional<Result<Rows>> answer_;
  std::string warning_;  // not "": the statement is done here, and on no standby that was asked for
  Ticket resolving_;
  Ticket deadline_;
  Ticket later_;
};

}  // namespace idem::libpq
