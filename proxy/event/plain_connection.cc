// A connection without TLS.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "proxy/event/connection.h"
#include "proxy/event/destruction_guard.h"
#include "proxy/event/raw_event.h"
#include "proxy/event/read_buffer.h"
#include "proxy/event/unsent_bytes.h"

namespace idem::event {
namespace {

/// Makes one sendmsg(). Returns the bytes taken, 0 if the kernel takes none now, or -1 with errno.
ssize_t SendNow(int socket, std::string_view a, std::string_view b) {
  iovec pieces[2] = {{const_cast<char*>(a.data()), a.size()},
                     {const_cast<char*>(b.data()), b.size()}};
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = b.empty() ? 1 : 2;
  ssize_t sent = 0;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 && errno == EAGAIN ? 0 : sent;
}

class PlainConnection final : public Connection {
 public:
  PlainConnection(EventLoop& loop, ConnectionEvents& events, const Options& options)
      : loop_(loop), events_(events), buffer_(options.read_buffer_bytes, options.read_buffer_max) {}
  ~PlainConnection() override { Close(); }

  void Accept(int socket);
  void Connect(const SocketAddress& to, Duration timeout);

  std::string_view received() const override { return buffer_.unread(); }
  void Consume(std::size_t bytes) override;
  bool Write(std::string_view a, std::string_view b) override;
  std::size_t unsent_bytes() const override { return unsent_.view().size(); }
  void PauseReading() override { paused_ = true; }
  void ResumeReading() override;
  void EndWriting() override;
  void Abort() override;
  bool quiet() const override;
  const std::string& peer_address() const override;

 private:
  enum class State { kConnecting, kOpen, kDead };

  void Open();
  void OnConnectEvent(short what);
  void OnReadable();
  void OnBytes(std::size_t bytes);
  void OnReadEnd();
  void OnWritable();
  void WatchReading();
  void Break(int error);
  void Fail(ErrorCode code, std::string_view what);
  void FailWithErrno(int error) {
    Fail(ErrorCode::kUnavailable, std::generic_category().message(error));
  }
  void Close();

  EventLoop& loop_;
  ConnectionEvents& events_;
  State state_ = State::kConnecting;
  bool paused_ = false;       // by the owner
  bool report_due_ = false;   // OnData() is due since reading was resumed
  bool end_seen_ = false;     // the peer's FIN
  bool end_writing_ = false;  // FIN follows the last unsent byte
  int broken_ = 0;            // errno of a failed write: reported after the rest was read
  int socket_ = -1;
  ReadBuffer buffer_;
  UnsentBytes unsent_;
  RawEvent read_event_;
  RawEvent write_event_;
  DestructionGuard lifeline_;
  mutable std::string peer_;  // "" until peer_address() asks the kernel
};

void PlainConnection::Accept(int socket) {
  socket_ = socket;
  Open();
}

void PlainConnection::Connect(const SocketAddress& to, Duration timeout) {
  peer_ = to.ToText();
  const int family = to.storage.ss_family;
  socket_ = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int error = socket_ < 0 ? errno : 0;
  if (error == 0 && family != AF_UNIX) {
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (error == 0 && connect(socket_, reinterpret_cast<const sockaddr*>(&to.storage), to.size) < 0) {
    error = errno;
  }
  write_event_.Assign(
      loop_.base(), socket_, EV_WRITE,
      [](evutil_socket_t, short what, void* self) noexcept {
        static_cast<PlainConnection*>(self)->OnConnectEvent(what);
      },
      this);
  if (error == EINPROGRESS) {
    write_event_.Add(timeout);
  } else {
    broken_ = error;  // reported on a later turn
    write_event_.Activate(EV_WRITE);
  }
}

void PlainConnection::OnConnectEvent(short what) {
  write_event_.NoteRemoved();
  if ((what & EV_TIMEOUT) != 0) return Fail(ErrorCode::kTimeout, "connecting took too long");
  int error = std::exchange(broken_, 0);
  socklen_t size = sizeof error;
  if (error == 0) getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return FailWithErrno(error);
  Open();
  events_.OnConnected();
}

void PlainConnection::Open() {
  state_ = State::kOpen;
  read_event_.Assign(
      loop_.base(), socket_, EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* self) noexcept {
        static_cast<PlainConnection*>(self)->OnReadable();
      },
      this);
  write_event_.Assign(
      loop_.base(), socket_, EV_WRITE | EV_PERSIST,
      [](evutil_socket_t, short, void* self) noexcept {
        static_cast<PlainConnection*>(self)->OnWritable();
      },
      this);
  WatchReading();
}

void PlainConnection::WatchReading() {
  if (state_ == State::kOpen && !paused_ && !end_seen_ && !buffer_.full()) read_event_.Add();
}

void PlainConnection::OnReadable() {
  const bool full = buffer_.full() && !report_due_;
  // Without this, an owner that consumes no more would never get the failure of a write.
  if (full && !paused_ && broken_ != 0) return FailWithErrno(broken_);
  if (paused_ || full) {
    // Removed only now, so that a pause that ends before the next bytes costs no system call.
    return read_event_.Remove();
  }
  if (std::exchange(report_due_, false)) return OnBytes(0);
  if (end_seen_) return broken_ != 0 ? FailWithErrno(broken_) : void();

  const auto space = buffer_.Space(loop_.read_scratch());
  const ssize_t got = recv(socket_, space.data(), space.size(), 0);
  if (got > 0) return OnBytes(static_cast<std::size_t>(got));
  if (got == 0) return OnReadEnd();
  if (errno == EINTR) return;
  if (errno != EAGAIN) return FailWithErrno(errno);
  if (broken_ != 0) FailWithErrno(broken_);
}

void PlainConnection::OnBytes(std::size_t bytes) {
  buffer_.Filled(bytes);
  const DestructionGuard::Watch watch(lifeline_);
  events_.OnData();
  if (watch.destroyed()) return;
  buffer_.Settle();
  if (state_ == State::kOpen && broken_ != 0) read_event_.Activate(EV_READ);
}

void PlainConnection::OnReadEnd() {
  // After a failed write the kernel reports its error once, and an orderly end from then on.
  if (broken_ != 0) return FailWithErrno(broken_);
  end_seen_ = true;
  read_event_.Remove();
  events_.OnEnd();
}

void PlainConnection::Consume(std::size_t bytes) {
  INVARIANT(bytes <= received().size());
  buffer_.Consume(bytes);
  if (!read_event_.added()) WatchReading();
}

void PlainConnection::ResumeReading() {
  if (!std::exchange(paused_, false) || state_ != State::kOpen) return;
  report_due_ = true;
  read_event_.Activate(EV_READ);
  WatchReading();
}

bool PlainConnection::Write(std::string_view a, std::string_view b) {
  if (state_ != State::kOpen || broken_ != 0) return false;
  INVARIANT(!end_writing_);
  if (unsent_bytes() > 0) {
    unsent_.Append(a);
    unsent_.Append(b);
    return true;
  }
  const ssize_t result = SendNow(socket_, a, b);
  if (result < 0) return Break(errno), false;
  const auto sent = static_cast<std::size_t>(result);
  if (sent < a.size() + b.size()) {
    if (sent < a.size()) unsent_.Append(a.substr(sent));
    unsent_.Append(b.substr(sent > a.size() ? sent - a.size() : 0));
    write_event_.Add();
  }
  return true;
}

void PlainConnection::OnWritable() {
  const ssize_t sent = SendNow(socket_, unsent_.view(), {});
  if (sent < 0) return Break(errno);
  unsent_.Drop(static_cast<std::size_t>(sent));
  if (unsent_bytes() > 0) return;
  write_event_.Remove();
  if (end_writing_) shutdown(socket_, SHUT_WR);
  events_.OnDrained();
}

/// A write failed. The peer may have answered before it closed, so the rest is read first.
void PlainConnection::Break(int error) {
  broken_ = error;
  unsent_.Clear();
  write_event_.Remove();
  read_event_.Activate(EV_READ);
}

void PlainConnection::EndWriting() {
  if (state_ != State::kOpen || std::exchange(end_writing_, true)) return;
  if (unsent_bytes() == 0) shutdown(socket_, SHUT_WR);
}

void PlainConnection::Abort() {
  if (socket_ < 0) return;
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  Close();
}

void PlainConnection::Fail(ErrorCode code, std::string_view what) {
  const Error error{.code = code, .detail = peer_address() + ": " + std::string(what)};
  Close();
  events_.OnFailure(error);
}

void PlainConnection::Close() {
  state_ = State::kDead;
  read_event_.Unassign();
  write_event_.Unassign();
  if (socket_ >= 0) close(std::exchange(socket_, -1));
}

bool PlainConnection::quiet() const {
  if (state_ != State::kOpen || end_seen_ || broken_ != 0 || !received().empty()) return false;
  char byte = 0;
  return recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

const std::string& PlainConnection::peer_address() const {
  if (peer_.empty()) {
    SocketAddress peer;
    peer.size = sizeof peer.storage;
    const int result = getpeername(socket_, reinterpret_cast<sockaddr*>(&peer.storage), &peer.size);
    peer_ = result == 0 ? peer.ToText() : "(gone)";
  }
  return peer_;
}

}  // namespace

std::unique_ptr<Connection> Connection::Accepted(EventLoop& loop, int socket,
                                                 ConnectionEvents& events, const Options& options) {
  auto connection = std::make_unique<PlainConnection>(loop, events, options);
  connection->Accept(socket);
  return connection;
}

std::unique_ptr<Connection> Connection::Connect(EventLoop& loop, const SocketAddress& to,
                                                Duration timeout, ConnectionEvents& events,
                                                const Options& options) {
  auto connection = std::make_unique<PlainConnection>(loop, events, options);
  connection->Connect(to, timeout);
  return connection;
}

}  // namespace idem::event
