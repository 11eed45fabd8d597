#include "proxy/event/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "proxy/event/destruction_guard.h"
#include "proxy/event/raw_event.h"

namespace idem::event {
namespace {

constexpr int kBacklog = 4096;       // the kernel cuts it to net.core.somaxconn
constexpr int kAcceptsPerTurn = 64;  // so that a flood of connections starves no request
constexpr Duration kPauseWithoutDescriptors = std::chrono::milliseconds(100);

/// Owns a socket.
class Socket {
 public:
  explicit Socket(int socket) : socket_(socket) {}
  Socket(Socket&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (socket_ >= 0) close(socket_);
  }
  [[nodiscard]] int get() const { return socket_; }

 private:
  int socket_;
};

Error ListenError(const Endpoint& endpoint, int error) {
  std::string why = std::generic_category().message(error);
  if (error == EADDRINUSE) {
    why = "the address is in use: stop what listens there, or choose another one";
  } else if (error == EACCES) {
    why = "not permitted: choose a port above 1023, or a path that this user may write";
  } else if (error == EADDRNOTAVAIL) {
    why = "this machine has no such address";
  } else if (error == ENOENT) {
    why = "the folder of this path does not exist: create it";
  }
  return {.code = ErrorCode::kUnavailable,
          .detail = "cannot listen on " + endpoint.ToText() + ": " + why};
}

const sockaddr* AsSockaddr(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address.storage);
}

/// Removes a socket file without a listener. Returns 0, or the errno that prevents listening there:
/// EADDRINUSE if a process listens.
int ClearUnixPath(const SocketAddress& address, const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISSOCK(status.st_mode)) return EADDRINUSE;
  const Socket probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (probe.get() < 0) return errno;
  if (connect(probe.get(), AsSockaddr(address), address.size) == 0) return EADDRINUSE;
  if (errno == EAGAIN) return EADDRINUSE;  // its queue is full
  if (errno != ECONNREFUSED) return errno;
  return unlink(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

/// Returns a bound socket. `share_port` sets SO_REUSEPORT.
Result<Socket> Bind(const Endpoint& endpoint, const SocketAddress& address, bool share_port) {
  const int family = address.storage.ss_family;
  Socket bound(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (bound.get() < 0) return ListenError(endpoint, errno);
  if (family == AF_UNIX) {
    if (const int error = ClearUnixPath(address, endpoint.unix_path); error != 0) {
      return ListenError(endpoint, error);
    }
  } else {
    const int on = 1;
    setsockopt(bound.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (share_port) setsockopt(bound.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (family == AF_INET6) {  // [::] accepts IPv6 only, whatever the system's default
      setsockopt(bound.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    setsockopt(bound.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted ones inherit it
  }
  if (bind(bound.get(), AsSockaddr(address), address.size) != 0) {
    return ListenError(endpoint, errno);
  }
  return bound;
}

class SocketListener final : public Listener {
 public:
  using OnAccept = Function<void(int, const SocketAddress&)>;
  SocketListener(EventLoop& loop, Socket socket, Endpoint bound, OnAccept on_accept);
  ~SocketListener() override;

  const Endpoint& bound() const override { return bound_; }

 private:
  void OnReadable();
  bool AcceptOne();

  EventLoop& loop_;
  Socket socket_;
  Endpoint bound_;
  OnAccept on_accept_;
  struct stat file_ {};  // the Unix socket's, so that no other file is unlinked
  Ticket pause_;
  DestructionGuard lifeline_;
  RawEvent event_;
};

SocketListener::SocketListener(EventLoop& loop, Socket socket, Endpoint bound, OnAccept on_accept)
    : loop_(loop),
      socket_(std::move(socket)),
      bound_(std::move(bound)),
      on_accept_(std::move(on_accept)) {
  if (!bound_.unix_path.empty()) lstat(bound_.unix_path.c_str(), &file_);
  event_.Assign(
      loop_.base(), socket_.get(), EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* self) noexcept {
        static_cast<SocketListener*>(self)->OnReadable();
      },
      this);
  event_.Add();
}

SocketListener::~SocketListener() {
  event_.Unassign();
  struct stat now {};
  if (!bound_.unix_path.empty() && lstat(bound_.unix_path.c_str(), &now) == 0 &&
      now.st_dev == file_.st_dev && now.st_ino == file_.st_ino) {
    unlink(bound_.unix_path.c_str());
  }
}

void SocketListener::OnReadable() {
  const DestructionGuard::Watch watch(lifeline_);
  for (int accepted = 0; accepted < kAcceptsPerTurn; ++accepted) {
    if (!AcceptOne() || watch.destroyed()) return;
  }
}

/// Returns false if there is no more connection to accept now. The owner may destroy this object.
bool SocketListener::AcceptOne() {
  SocketAddress peer;
  peer.size = sizeof peer.storage;
  const int socket = accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket >= 0) {
    on_accept_(socket, peer);
    return true;
  }
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
    event_.Remove();
    pause_ = loop_.After(kPauseWithoutDescriptors, [this] { event_.Add(); });
    return false;
  }
  return errno == ECONNABORTED || errno == EINTR;
}

}  // namespace

Status Listener::CheckFree(const Endpoint& endpoint) {
  auto address = SocketAddress::FromLiteral(endpoint);
  if (!address) return std::move(address).error();
  if (address->storage.ss_family == AF_UNIX) {
    const int error = ClearUnixPath(*address, endpoint.unix_path);
    return error == 0 ? Ok() : Status(ListenError(endpoint, error));
  }
  auto probe = Bind(endpoint, *address, /*share_port=*/false);
  return probe ? Ok() : Status(std::move(probe).error());
}

Result<std::unique_ptr<Listener>> Listener::Listen(
    EventLoop& loop, const Endpoint& endpoint,
    Function<void(int socket, const SocketAddress& peer)> on_accept) {
  auto address = SocketAddress::FromLiteral(endpoint);
  if (!address) return std::move(address).error();
  auto socket = Bind(endpoint, *address, /*share_port=*/true);
  if (!socket) return std::move(socket).error();
  if (listen(socket->get(), kBacklog) != 0) return ListenError(endpoint, errno);

  Endpoint bound = endpoint;
  SocketAddress local;
  local.size = sizeof local.storage;
  if (endpoint.unix_path.empty() &&
      getsockname(socket->get(), reinterpret_cast<sockaddr*>(&local.storage), &local.size) == 0) {
    bound.port = ntohs(reinterpret_cast<const sockaddr_in*>(&local.storage)->sin_port);
  }
  return std::unique_ptr<Listener>(std::make_unique<SocketListener>(
      loop, std::move(*socket), std::move(bound), std::move(on_accept)));
}

}  // namespace idem::event
