#include "tests/support/tls_backend.h"

#include <sys/socket.h>

#include <chrono>
#include <utility>
#include <vector>

namespace idem::support {

namespace {

constexpr std::chrono::seconds kPatience{20};

// Returns whether `text` holds a whole request with a Content-Length.
bool IsWhole(const std::string& text) {
  const auto head = text.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  const auto field = text.find("Content-Length: ");
  const std::size_t body = field < head ? std::stoul(text.substr(field + 16)) : 0;
  return text.size() >= head + 4 + body;
}

}  // namespace

class TlsBackend::Connection final : event::ConnectionEvents {
 public:
  Connection(TlsBackend& backend, int socket)
      : backend_(backend),
        socket_(socket),
        connection_(event::Connection::AcceptedTls(*backend.loop_, socket, *backend.context_,
                                                   kPatience, *this, {})) {}

 private:
  void OnData() override {
    const std::string_view bytes = connection_->received();
    request_.append(bytes);
    {
      const std::lock_guard lock(backend_.mutex_);
      backend_.received_.append(bytes);
      backend_.peer_subject_ = connection_->peer_subject();
    }
    connection_->Consume(bytes.size());
    if (!IsWhole(request_)) return;
    request_.clear();
    connection_->Write(backend_.options_.answer);
    if (backend_.options_.then == Then::kEnd) connection_->EndWriting();
    if (backend_.options_.then == Then::kCut) ::shutdown(socket_, SHUT_WR);
  }
  void OnEnd() override {}
  void OnFailure(const Error&) override {
    const std::lock_guard lock(backend_.mutex_);
    ++backend_.failures_;
    backend_.changed_.notify_all();
  }

  TlsBackend& backend_;
  const int socket_;
  std::string request_;
  std::unique_ptr<event::Connection> connection_;
};

TlsBackend::TlsBackend(const Options& options)
    : options_(options),
      context_(*event::TlsContext::ForServer({.certificate = options.certificate,
                                              .key = options.key,
                                              .client_ca = options.client_ca})) {
  std::promise<void> listens;
  auto listening = listens.get_future();
  thread_ = std::thread([this, &listens] { Run(listens); });
  listening.wait();
}

TlsBackend::~TlsBackend() {
  loop_->Post([this] { loop_->Stop(); });
  thread_.join();
}

void TlsBackend::Run(std::promise<void>& listens) {
  event::EventLoop loop;  // belongs to the thread that made it
  loop_ = &loop;
  std::vector<std::unique_ptr<Connection>> connections;
  auto listener = event::Listener::Listen(
      loop, *event::Endpoint::Parse("127.0.0.1:0"), [&](int socket, const event::SocketAddress&) {
        connections.push_back(std::make_unique<Connection>(*this, socket));
      });
  port_ = (*listener)->bound().port;
  listens.set_value();
  loop.Run();
}

std::string TlsBackend::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

std::string TlsBackend::peer_subject() const {
  const std::lock_guard lock(mutex_);
  return peer_subject_;
}

bool TlsBackend::WaitForFailures(int count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return failures_ >= count; });
}

}  // namespace idem::support
