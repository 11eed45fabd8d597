#include "tests/support/scripted_backend.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace idem::support {
namespace {

bool SameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// Waits until the peer's kernel has the FIN, whatever its program does. A Unix socket has no such
/// state.
void WaitForFinAcknowledged(int ended) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  tcp_info info{};
  do {
    socklen_t size = sizeof info;
    if (getsockopt(ended, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
    std::this_thread::yield();
  } while (info.tcpi_state == TCP_FIN_WAIT1 && std::chrono::steady_clock::now() < give_up);
}

/// Binds to 127.0.0.1 and a free port.
int BindLoopback(int& port) {
  const int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (bound < 0 || bind(bound, any, size) != 0 || getsockname(bound, any, &size) != 0) {
    throw std::runtime_error("cannot bind to 127.0.0.1");
  }
  port = ntohs(address.sin_port);
  return bound;
}

int BindUnix(const std::string& path) {
  const int bound = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  unlink(path.c_str());
  if (bound < 0 || bind(bound, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot bind to " + path);
  }
  return bound;
}

}  // namespace

std::string BackendRequest::Field(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 2);
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !SameName(line.substr(0, colon), name)) continue;
    const std::size_t value = line.find_first_not_of(' ', colon + 1);
    return value == line.npos ? std::string() : std::string(line.substr(value));
  }
  return {};
}

class BackendConnection final : public Conversation {
 public:
  BackendConnection(ScriptedBackend& backend, int socket, int number)
      : backend_(backend), socket_(socket) {
    request_.connection = number;
  }

  void Run() {
    Send(backend_.options_.greeting);
    while (open_ && ReadHead()) {
      if (!backend_.options_.script_before_body && !ReadBody()) break;
      backend_.Count(request_);
      backend_.script_(*this);
    }
    const std::lock_guard lock(backend_.mutex_);
    std::erase(backend_.open_sockets_, socket_);
    close(socket_);
  }

  const BackendRequest& request() const override { return request_; }
  void Send(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  std::string ReadSome(std::size_t bytes) override {
    if (buffer_.empty()) ReadMore();
    std::string some = buffer_.substr(0, bytes);
    buffer_.erase(0, some.size());
    return some;
  }
  bool WaitForEnd() override {
    while (ReadMore()) buffer_.clear();
    open_ = false;
    return cut_;
  }
  void WaitForRelease() override {
    std::unique_lock lock(backend_.mutex_);
    backend_.changed_.wait(lock, [this] { return backend_.released_ || backend_.stopped_; });
  }
  void Close() override {
    shutdown(socket_, SHUT_WR);
    open_ = false;
  }
  void Reset() override {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    open_ = false;
  }

 private:
  bool ReadMore() {
    char bytes[16 * 1024];
    const ssize_t got = recv(socket_, bytes, sizeof bytes, 0);
    if (got < 0) cut_ = errno == ECONNRESET;
    if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }
  /// Removes the bytes up to and including `mark` from the buffer and returns them without the
  /// mark.
  bool ReadUntil(std::string_view mark, std::string& to) {
    std::size_t at = 0;
    while ((at = buffer_.find(mark)) == buffer_.npos) {
      if (!ReadMore()) return false;
    }
    to = buffer_.substr(0, at);
    buffer_.erase(0, at + mark.size());
    return true;
  }
  bool ReadExactly(std::size_t bytes, std::string& to) {
    while (buffer_.size() < bytes) {
      if (!ReadMore()) return false;
    }
    to.append(buffer_, 0, bytes);
    buffer_.erase(0, bytes);
    return true;
  }
  bool ReadHead() {
    request_.body.clear();
    if (!ReadUntil("\r\n\r\n", request_.head)) return false;
    const std::string line = request_.head.substr(0, request_.head.find("\r\n"));
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == line.npos || last == first) return false;
    request_.method = line.substr(0, first);
    request_.target = line.substr(first + 1, last - first - 1);
    ++request_.number;
    return true;
  }
  bool ReadBody() {
    if (SameName(request_.Field("Transfer-Encoding"), "chunked")) return ReadChunks();
    const std::string length = request_.Field("Content-Length");
    return length.empty() || ReadExactly(std::stoul(length), request_.body);
  }
  bool ReadChunks() {
    std::string line;
    while (ReadUntil("\r\n", line)) {
      const std::size_t size = std::stoul(line, nullptr, 16);
      if (size == 0) return ReadUntil("\r\n", line);  // trailers are not expected
      if (!ReadExactly(size, request_.body) || !ReadUntil("\r\n", line)) return false;
    }
    return false;
  }

  ScriptedBackend& backend_;
  const int socket_;
  bool open_ = true;
  bool cut_ = false;
  std::string buffer_;
  BackendRequest request_;
};

ScriptedBackend::ScriptedBackend(Script script, Options options)
    : script_(std::move(script)), options_(std::move(options)) {
  if (options_.unix_path.empty()) {
    listener_ = BindLoopback(port_);
    address_ = "127.0.0.1:" + std::to_string(port_);
  } else {
    listener_ = BindUnix(options_.unix_path);
    address_ = "unix:" + options_.unix_path;
  }
  if (options_.receive_buffer_bytes > 0) {
    setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &options_.receive_buffer_bytes,
               sizeof options_.receive_buffer_bytes);
  }
  if (listen(listener_, 1024) != 0) throw std::runtime_error("cannot listen");
  acceptor_ = std::thread([this] { Accept(); });
}

ScriptedBackend::~ScriptedBackend() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const int open : open_sockets_) shutdown(open, SHUT_RDWR);
  }
  changed_.notify_all();
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
  if (!options_.unix_path.empty()) unlink(options_.unix_path.c_str());
}

void ScriptedBackend::Accept() {
  while (true) {
    const int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      if (accepted >= 0) close(accepted);
      return;
    }
    if (accepted < 0) continue;
    const int on = 1;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    open_sockets_.push_back(accepted);
    threads_.emplace_back([this, accepted, number = ++connections_] {
      BackendConnection(*this, accepted, number).Run();
    });
    changed_.notify_all();
  }
}

void ScriptedBackend::Count(const BackendRequest& request) {
  {
    const std::lock_guard lock(mutex_);
    seen_.push_back(request);
    if (const std::string key = request.Field("Idempotency-Key"); !key.empty()) ++keys_[key];
  }
  changed_.notify_all();
}

int ScriptedBackend::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

int ScriptedBackend::requests() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(seen_.size());
}

int ScriptedBackend::requests_with_key(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(key);
  return found == keys_.end() ? 0 : found->second;
}

int ScriptedBackend::most_requests_with_one_key() const {
  const std::lock_guard lock(mutex_);
  int most = 0;
  for (const auto& [key, count] : keys_) most = std::max(most, count);
  return most;
}

std::vector<BackendRequest> ScriptedBackend::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

bool ScriptedBackend::WaitForRequests(int count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(20),
                           [&] { return static_cast<int>(seen_.size()) >= count; });
}

void ScriptedBackend::Release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  changed_.notify_all();
}

void ScriptedBackend::CloseConnections() {
  const std::lock_guard lock(mutex_);
  for (const int open : open_sockets_) shutdown(open, SHUT_RDWR);
  for (const int open : open_sockets_) WaitForFinAcknowledged(open);
}

std::string Response(int status, std::string_view body, std::string_view more_fields) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string(more_fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

ScriptedBackend::Script Always(std::string response) {
  return [bytes = std::move(response)](Conversation& talk) { talk.Send(bytes); };
}

RefusingPort::RefusingPort() {
  int port = 0;
  socket_ = BindLoopback(port);
  address_ = "127.0.0.1:" + std::to_string(port);
}

RefusingPort::~RefusingPort() { close(socket_); }

}  // namespace idem::support
