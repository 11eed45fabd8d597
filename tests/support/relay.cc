#include "tests/support/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace idem::support {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kHeldBytesMax = 8UL << 20;  // in one direction; above it nothing is read

/// A socket that is closed with its owner.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {
    if (descriptor < 0) throw std::runtime_error("relay: no socket");
  }
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }
  /// Makes the following close send RST.
  void MakeAbrupt() const {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

 private:
  int descriptor_;
};

sockaddr_in LocalAddress(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int NewSocket() { return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

void SendAtOnce(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Bytes on their way from one socket to the other.
struct Direction {
  struct Chunk {
    Clock::time_point due;
    std::string bytes;
  };
  std::deque<Chunk> held;
  std::size_t held_bytes = 0;
  bool ended = false;  // the source sent FIN
  bool end_passed_on = false;

  [[nodiscard]] bool due(Clock::time_point now) const {
    return !held.empty() && held.front().due <= now;
  }
};

struct Pair {
  Socket client;
  Socket server;
  Direction to_server;
  Direction to_client;
  bool dead = false;
};

struct Settings {
  std::chrono::milliseconds delay{0};
  bool stalled = false;
  bool swallowing = false;
  bool refusing = false;
  std::optional<std::size_t> reply_bytes_left;
  std::function<void(std::string_view)> watcher;
};

struct Counts {
  std::size_t made = 0;
  std::size_t open = 0;
  std::uint64_t to_server = 0;
  std::uint64_t to_client = 0;
};

}  // namespace

/// The thread and its data. One lock guards everything; it is free only while the thread sleeps in
/// poll().
class Relay::Worker {
 public:
  explicit Worker(std::uint16_t server_port)
      : server_port_(server_port), listener_(NewSocket()), wake_(eventfd(0, EFD_CLOEXEC)) {
    sockaddr_in address = LocalAddress(0);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_.get(), generic, size) != 0 || listen(listener_.get(), 128) != 0 ||
        getsockname(listener_.get(), generic, &size) != 0) {
      throw std::runtime_error("relay: cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }

  ~Worker() {
    Change([this](Settings&) { stopping_ = true; });
    thread_.join();
    CutAll();
  }

  template <class Apply>
  void Change(Apply apply) {
    {
      const std::lock_guard lock(mutex_);
      apply(settings_);
    }
    const std::uint64_t one = 1;
    if (write(wake_.get(), &one, sizeof one) < 0) throw std::runtime_error("relay: cannot wake");
  }

  void CutNow() {
    const std::lock_guard lock(mutex_);
    CutAll();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] Counts counts() {
    const std::lock_guard lock(mutex_);
    Counts counts = counts_;
    counts.open = pairs_.size();
    return counts;
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      std::vector<pollfd> polled = {{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        polled.push_back(Watching(pair.client, Wanted(pair.to_server, pair.to_client)));
        polled.push_back(Watching(pair.server, Wanted(pair.to_client, pair.to_server)));
      }
      const int patience = UntilNextIsDue();
      lock.unlock();
      poll(polled.data(), polled.size(), patience);
      lock.lock();
      std::uint64_t ignored = 0;
      if ((polled[1].revents & POLLIN) != 0) (void)!read(wake_.get(), &ignored, sizeof ignored);
      if ((polled[0].revents & POLLIN) != 0) AcceptOne();
      for (Pair& pair : pairs_) Serve(pair);
      pairs_.remove_if([](const Pair& pair) { return pair.dead; });
    }
  }

  // Returns the poll() events for a socket that is the source of `from` and the target of `to`.
  [[nodiscard]] short Wanted(const Direction& from, const Direction& to) const {
    if (settings_.stalled) return 0;
    short events = 0;
    if (!from.ended && from.held_bytes < kHeldBytesMax) events |= POLLIN;
    if (to.due(Clock::now())) events |= POLLOUT;
    return events;
  }

  // poll() reports a hang-up of every socket that it is given, so an unwatched one is left out.
  static pollfd Watching(const Socket& socket, short events) {
    return {events == 0 ? -1 : socket.get(), events, 0};
  }

  [[nodiscard]] int UntilNextIsDue() const {
    using std::chrono::milliseconds;
    milliseconds wait = std::chrono::seconds(1);
    if (settings_.stalled) return static_cast<int>(wait.count());
    const Clock::time_point now = Clock::now();
    for (const Pair& pair : pairs_) {
      for (const Direction* direction : {&pair.to_server, &pair.to_client}) {
        if (direction->held.empty() || direction->due(now)) continue;
        wait = std::min(wait, std::chrono::ceil<milliseconds>(direction->held.front().due - now));
      }
    }
    return static_cast<int>(wait.count());
  }

  void AcceptOne() {
    const int accepted = accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return;
    Socket client(accepted);
    ++counts_.made;
    if (settings_.refusing) return client.MakeAbrupt();
    Socket server(NewSocket());
    SendAtOnce(client.get());
    SendAtOnce(server.get());
    const sockaddr_in address = LocalAddress(server_port_);
    const int connected =
        connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (connected != 0 && errno != EINPROGRESS) return client.MakeAbrupt();
    pairs_.push_back(Pair{std::move(client), std::move(server), {}, {}, false});
  }

  void Serve(Pair& pair) {
    if (settings_.stalled) return;
    Read(pair, pair.client, pair.to_server);
    Read(pair, pair.server, pair.to_client);
    Pass(pair, pair.to_server, pair.server, counts_.to_server, nullptr);
    Pass(pair, pair.to_client, pair.client, counts_.to_client, &settings_.reply_bytes_left);
    const bool over = pair.to_server.end_passed_on && pair.to_client.end_passed_on;
    if (over) pair.dead = true;
  }

  void Read(Pair& pair, const Socket& from, Direction& direction) {
    while (!pair.dead && !direction.ended && direction.held_bytes < kHeldBytesMax) {
      std::string bytes(kReadBytes, '\0');
      const ssize_t got = recv(from.get(), bytes.data(), bytes.size(), 0);
      if (got < 0) {
        if (errno != EAGAIN && errno != ENOTCONN) Kill(pair);
        return;
      }
      direction.ended = got == 0;
      bytes.resize(static_cast<std::size_t>(got));
      if (settings_.watcher && &direction == &pair.to_server) settings_.watcher(bytes);
      if (got == 0 || settings_.swallowing) continue;
      direction.held_bytes += bytes.size();
      direction.held.push_back({Clock::now() + settings_.delay, std::move(bytes)});
    }
  }

  void Pass(Pair& pair, Direction& direction, const Socket& to, std::uint64_t& count,
            std::optional<std::size_t>* limit) {
    while (!pair.dead && direction.due(Clock::now())) {
      std::string& bytes = direction.held.front().bytes;
      std::size_t size = bytes.size();
      const bool ends_here = limit != nullptr && *limit && size > **limit;
      if (ends_here) size = **limit;
      const ssize_t sent = size == 0 ? 0 : send(to.get(), bytes.data(), size, MSG_NOSIGNAL);
      if (sent < 0) {
        if (errno != EAGAIN && errno != ENOTCONN) Kill(pair);
        return;
      }
      const auto passed = static_cast<std::size_t>(sent);
      count += passed;
      direction.held_bytes -= passed;
      if (limit != nullptr && *limit) **limit -= passed;
      if (ends_here && passed == size) {
        limit->reset();
        return EndAfterSending(pair);
      }
      bytes.erase(0, passed);
      if (bytes.empty()) direction.held.pop_front();
    }
    if (!pair.dead && direction.ended && direction.held.empty() && !direction.end_passed_on) {
      shutdown(to.get(), SHUT_WR);
      direction.end_passed_on = true;
    }
  }

  void Kill(Pair& pair) {
    pair.client.MakeAbrupt();
    pair.server.MakeAbrupt();
    pair.dead = true;
  }

  // A RST would discard bytes that the client has not read yet, so its side ends with a FIN.
  void EndAfterSending(Pair& pair) {
    pair.server.MakeAbrupt();
    pair.dead = true;
  }

  void CutAll() {
    for (Pair& pair : pairs_) Kill(pair);
    pairs_.clear();
  }

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  Socket listener_;
  Socket wake_;
  std::mutex mutex_;
  bool stopping_ = false;
  Settings settings_;
  Counts counts_;
  std::list<Pair> pairs_;
  std::thread thread_;
};

Relay::Relay(std::uint16_t server_port) : worker_(std::make_unique<Worker>(server_port)) {}
Relay::~Relay() = default;

std::uint16_t Relay::port() const { return worker_->port(); }

void Relay::WatchClients(std::function<void(std::string_view)> watcher) {
  worker_->Change([&watcher](Settings& settings) { settings.watcher = std::move(watcher); });
}

void Relay::Delay(std::chrono::milliseconds delay) {
  worker_->Change([delay](Settings& settings) { settings.delay = delay; });
}

void Relay::Stall() {
  worker_->Change([](Settings& settings) { settings.stalled = true; });
}

void Relay::Resume() {
  worker_->Change([](Settings& settings) { settings.stalled = settings.swallowing = false; });
}

void Relay::Blackhole() {
  worker_->Change([](Settings& settings) { settings.swallowing = true; });
}

void Relay::Cut() { worker_->CutNow(); }

void Relay::CutAfterReply(std::size_t bytes) {
  worker_->Change([bytes](Settings& settings) { settings.reply_bytes_left = bytes; });
}

void Relay::Refuse() {
  worker_->Change([](Settings& settings) { settings.refusing = true; });
}

void Relay::Accept() {
  worker_->Change([](Settings& settings) { settings.refusing = false; });
}

std::size_t Relay::connections_made() const { return worker_->counts().made; }
std::size_t Relay::connections_open() const { return worker_->counts().open; }
std::uint64_t Relay::bytes_to_server() const { return worker_->counts().to_server; }
std::uint64_t Relay::bytes_to_client() const { return worker_->counts().to_client; }

}  // namespace idem::support
