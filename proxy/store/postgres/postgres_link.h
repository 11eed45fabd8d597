// The connection of a store to its database.
//
//   RemoteLink    connecting                             ready
//                 log-in ─▶ settings ─▶ tables ─▶
//
// The settings decide whether the database is refused; tables and functions are made if they are
// missing.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "proxy/base/random.h"
#include "proxy/libpq/database_connection.h"
#include "proxy/store/postgres/postgres_handshake.h"
#include "proxy/store/remote/remote_link.h"

namespace idem::store {

class PostgresLinkEvents : public RemoteLinkEvents {
 public:
  /// The last statement was answered, and the link can take the next one.
  virtual void OnLinkIdle() = 0;
};

class PostgresLink final : public RemoteLink, private libpq::ConnectionEvents {
 public:
  struct Options {
    std::chrono::milliseconds timeout{500};  // of a question
    bool require_durable = false;
    bool is_reporter = true;                               // logs; one link of a process is enough
    Duration statement_timeout = std::chrono::seconds(2);  // then the connection is given up
  };

  PostgresLink(event::EventLoop& loop, event::Resolver& resolver, Random& random, libpq::Url url,
               const Options& options, PostgresLinkEvents& events);

  /// Ready, and no statement is running.
  [[nodiscard]] bool idle() const { return ready() && connection_->idle(); }

  /// Runs a statement; only while idle. See libpq::Connection::Run. No answer comes if OnLinkLost()
  /// follows a Drop().
  void Run(const libpq::Statement& statement, libpq::Connection::OnAnswer on_answer) {
    connection_->Run(statement, std::move(on_answer));
  }

 private:
  enum class Step : std::uint8_t { kLogIn, kSettings, kTables };  // of an attempt

  void OnIdle() override;
  void OnDead(const Error& error) override;

  void Connect() override;
  void Disconnect(bool inside_callback) override;
  void AskSettings();
  void MakeTables();
  void Refuse(const Error& error);

  event::EventLoop& event_loop_;
  event::Resolver& resolver_;
  const libpq::Url url_;
  const bool require_durable_;
  PostgresLinkEvents& events_;
  const libpq::ConnectionOptions connection_options_;

  Step step_ = Step::kLogIn;
  std::optional<Error> refusal_;  // the failure of a step
  PostgresServerSettings settings_;
  std::unique_ptr<libpq::Connection> connection_;  // null: pausing
};

}  // namespace idem::store
