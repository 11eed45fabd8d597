#include "proxy/libpq/database_connection.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <libpq-fe.h>

namespace idem::libpq {

namespace {

/// Joins the lines of a libpq message, because a log entry is one line.
std::string OneLine(std::string_view message) {
  std::string line(message.substr(0, message.find_last_not_of("\n ") + 1));
  std::replace(line.begin(), line.end(), '\n', ' ');
  line.erase(std::remove(line.begin(), line.end(), '\t'), line.end());
  return line;
}

/// Maps the classes of SQLSTATE (the server's manual, appendix A).
ErrorCode CodeOf(std::string_view sqlstate) {
  const std::string_view kind = sqlstate.substr(0, 2);
  if (kind == "22" || kind == "23") return ErrorCode::kInvalid;  // the values: data, constraints
  for (const std::string_view passing : {"08", "40", "53", "55", "57", "58"}) {
    if (kind == passing)
      return ErrorCode::kUnavailable;  // connection, deadlock, resources, shutdown
  }
  return ErrorCode::kRefused;
}

std::string Field(const pg_result* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

/// Uses the primary message only, because the detail of a violated constraint quotes the row.
Error StatementError(const pg_result* result) {
  const std::string sqlstate = Field(result, PG_DIAG_SQLSTATE);
  return {CodeOf(sqlstate),
          OneLine(Field(result, PG_DIAG_MESSAGE_PRIMARY)) + " (SQLSTATE " + sqlstate + ")"};
}

/// Returns whether the server refused the log-in in a way that a retry does not change. libpq keeps
/// no SQLSTATE for it, so the English text is compared; a refusal in another language counts as an
/// unreachable server.
bool IsRefusal(std::string_view message) {
  for (const std::string_view words :
       {"password authentication failed", "no password supplied", "authentication failed for user",
        "no pg_hba.conf entry", "does not exist", "is not permitted to log in",
        "permission denied for database", "server does not support SSL"}) {
    if (message.find(words) != message.npos) return true;
  }
  return false;
}

std::string AddressList(const std::vector<event::SocketAddress>& addresses) {
  std::string list;
  for (const event::SocketAddress& address : addresses) {
    if (!list.empty()) list += ',';
    list += address.host_text();
  }
  return list;
}

}  // namespace

void Connection::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

Connection::Connection(event::EventLoop& loop, event::Resolver& resolver, const Url& url,
                       const ConnectionOptions& options, ConnectionEvents& events)
    : loop_(loop), resolver_(resolver), url_(url), options_(options), events_(events) {
  later_ = loop_.After(Duration::zero(), [this] { Begin(); });
  deadline_ = loop_.After(options_.connect_timeout, [this] {
    Die({ErrorCode::kTimeout, "no connection to the database in time"});
  });
}

Connection::~Connection() = default;

void Connection::Begin() {
  const auto name = url_.name_to_resolve();
  if (!name) return Connect("");
  resolving_ = resolver_.Resolve(loop_, *name, [this](event::Resolver::Answer answer) {
    if (!answer) return Die(std::move(answer).error());
    Connect(AddressList(*answer));
  });
}

// libpq tries several addresses one after the other, and requires as many hosts as addresses.
void Connection::Connect(const std::string& addresses) {
  Url::Settings settings = url_.settings();
  if (!addresses.empty()) {
    const auto commas = std::count(addresses.begin(), addresses.end(), ',');
    for (auto& [keyword, value] : settings) {
      if (keyword != "host") continue;
      const std::string host = value;
      for (auto i = commas; i > 0; --i) value += "," + host;
    }
    settings.emplace_back("hostaddr", addresses);
  }
  settings.emplace_back("client_encoding", "UTF8");
  settings.emplace_back("fallback_application_name", options_.application_name);
  const auto names_gss = [](const auto& setting) { return setting.first == "gssencmode"; };
  if (std::none_of(settings.begin(), settings.end(), names_gss)) {
    settings.emplace_back("gssencmode", "disable");  // the Kerberos library may block
  }
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : settings) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  INVARIANT(connection_ != nullptr);
  if (PQstatus(connection_.get()) == CONNECTION_BAD) return DieOfLibpq("connect");
  PQsetNoticeReceiver(connection_.get(), OnNotice, this);
  state_ = State::kConnecting;
  Watch(false, true);
}

// Inside PQconnectPoll libpq may close its socket and open another one with the same number. So the
// old socket must not be watched then.
void Connection::PollConnect() {
  watch_.reset();
  switch (PQconnectPoll(connection_.get())) {
    case PGRES_POLLING_READING:
      return Watch(true, false);
    case PGRES_POLLING_WRITING:
      return Watch(false, true);
    case PGRES_POLLING_OK:
      return OnConnected();
    default:
      return DieOfLibpq("connect");
  }
}

void Connection::OnConnected() {
  PQsetnonblocking(connection_.get(), 1);
  deadline_ = Ticket();
  if (options_.setup.empty()) {
    state_ = State::kIdle;
    Watch(true, false);
    return events_.OnIdle();
  }
  state_ = State::kSettingUp;
  deadline_ = loop_.After(options_.statement_timeout, [this] {
    Die({ErrorCode::kTimeout, "the database does not finish its set-up in time"});
  });
  if (PQsendQuery(connection_.get(), options_.setup.c_str()) != 1) return DieOfLibpq("set up");
  Watch(true, true);
}

void Connection::Watch(bool read, bool write) {
  watch_ = std::make_unique<event::SocketWatch>(
      loop_, PQsocket(connection_.get()),
      [this](event::SocketWatch::Ready ready) { OnSocket(ready); });
  watch_->Want(read, write);
}

void Connection::OnSocket(event::SocketWatch::Ready ready) {
  if (state_ == State::kDead) return;
  if (state_ == State::kConnecting) {
    watch_->Want(false, false);  // destroyed later, because this runs inside its callback
    later_ = loop_.After(Duration::zero(), [this] { PollConnect(); });
    return;
  }
  // Reads first, because a server that cannot write its answer may not read the rest of our
  // statement.
  if (ready.readable && PQconsumeInput(connection_.get()) != 1) return DieOfLibpq("read");
  Flush();
  if (state_ != State::kDead) Read();
}

void Connection::Flush() {
  const int unsent = PQflush(connection_.get());
  if (unsent < 0) return DieOfLibpq("write");
  watch_->Want(true, unsent > 0);
}

void Connection::Read() {
  while (PQisBusy(connection_.get()) == 0) {
    pg_result* result = PQgetResult(connection_.get());
    if (result == nullptr) {
      if (PQstatus(connection_.get()) == CONNECTION_BAD) return DieOfLibpq("read");
      if (state_ == State::kSettingUp || state_ == State::kRunning) OnStatementEnd();
      return;
    }
    KeepResult(result);
    if (state_ == State::kDead) return;
  }
}

// A set-up of many statements has several results: the first error counts, otherwise the last
// result.
void Connection::KeepResult(pg_result* result) {
  Rows rows(result);
  const bool failed_before = answer_ && !*answer_;
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      if (!failed_before) answer_.emplace(std::move(rows));
      return;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      return Die({ErrorCode::kRefused, "COPY is not supported"});
    default:
      // libpq makes up a result when a connection breaks; DieOfLibpq reports the break instead.
      if (PQstatus(connection_.get()) == CONNECTION_BAD) return DieOfLibpq("read");
      if (!failed_before) answer_.emplace(StatementError(result));
  }
}

// Cancelling a commit that waits for a synchronous standby commits it with a warning. Its words may
// be in any language and its SQLSTATE is that of all warnings, so the server's function identifies
// it (src/backend/replication/syncrep.c). Other notices say nothing about the commit.
void Connection::OnNotice(void* connection, const pg_result* notice) noexcept {
  if (Field(notice, PG_DIAG_SOURCE_FUNCTION) != "SyncRepWaitForLSN") return;
  static_cast<Connection*>(connection)->warning_ = OneLine(Field(notice, PG_DIAG_MESSAGE_PRIMARY));
}

void Connection::Run(const Statement& statement, OnAnswer on_answer) {
  INVARIANT(idle());
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
  for (const Parameter& parameter : statement.parameters) {
    types.push_back(parameter.type);
    values.push_back(parameter.null ? nullptr : parameter.bytes.c_str());
    lengths.push_back(static_cast<int>(parameter.bytes.size()));
    formats.push_back(parameter.binary ? 1 : 0);
  }
  state_ = State::kRunning;
  on_answer_ = std::move(on_answer);
  deadline_ = loop_.After(options_.statement_timeout, [this] {
    Die({ErrorCode::kTimeout, "the database does not finish a statement in time"});
  });
  const int sent = PQsendQueryParams(connection_.get(), statement.sql.c_str(),
                                     static_cast<int>(values.size()), types.data(), values.data(),
                                     lengths.data(), formats.data(), statement.binary_rows ? 1 : 0);
  const int unsent = sent == 1 ? PQflush(connection_.get()) : -1;
  if (unsent >= 0) return watch_->Want(true, unsent > 0);
  later_ = loop_.After(Duration::zero(), [this] { DieOfLibpq("write"); });
}

void Connection::OnStatementEnd() {
  INVARIANT(answer_.has_value());
  if (!warning_.empty()) return Die({ErrorCode::kUnavailable, std::move(warning_)});
  Result<Rows> answer = *std::exchange(answer_, std::nullopt);
  deadline_ = Ticket();
  if (state_ == State::kSettingUp) {
    if (!answer) return Die(std::move(answer).error());
  } else {
    // The connection becomes idle after the answer, so that the caller's next statement waits its
    // turn behind others.
    std::exchange(on_answer_, nullptr)(std::move(answer));
  }
  state_ = State::kIdle;
  events_.OnIdle();
}

void Connection::DieOfLibpq(const char* doing) {
  std::string detail = OneLine(PQerrorMessage(connection_.get()));
  if (detail.empty()) detail = std::string("cannot ") + doing;
  const bool refused = state_ == State::kConnecting && IsRefusal(detail);
  Die({refused ? ErrorCode::kRefused : ErrorCode::kUnavailable, std::move(detail)});
}

void Connection::Die(Error error) {
  if (state_ == State::kDead) return;
  state_ = State::kDead;
  if (watch_) watch_->Want(false, false);
  resolving_ = Ticket();
  deadline_ = Ticket();
  later_ = Ticket();
  if (on_answer_) {
    std::exchange(on_answer_, nullptr)(Error{error.code, error.detail, Delivery::kMaybeSent});
  }
  events_.OnDead(error);
}

}  // namespace idem::libpq
