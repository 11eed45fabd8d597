#include "proxy/http_server/server.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/base/invariant.h"
#include "proxy/event/listener.h"
#include "proxy/http_server/client_connection.h"

namespace idem::http_server {

namespace {

// A refused connection does not count as a connection. So many get a 503 at a time; the others are
// closed at once.
constexpr std::size_t kRefusalsMax = 64;

class ServerOnLoop final : public Server, private ConnectionOwner {
 public:
  ServerOnLoop(event::EventLoop& loop, const Options& options, http::ServerService& service,
               std::atomic<std::size_t>& counted, ServerTls tls)
      : loop_(loop),
        options_(options),
        tls_(std::move(tls)),
        service_(service),
        counted_(counted),
        self_(std::make_shared<ServerOnLoop*>(this)) {}

  ~ServerOnLoop() override {
    *self_ = nullptr;
    for (const auto& entry : connections_) {
      entry.connection->Cut();
      if (entry.counted) counted_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  Status Listen(const event::Endpoint& endpoint) {
    auto listener = event::Listener::Listen(
        loop_, endpoint,
        [this](int socket, const event::SocketAddress& peer) { OnAccept(socket, peer); });
    if (!listener) return std::move(listener).error();
    listener_ = std::move(listener).value();
    bound_ = listener_->bound();
    return Ok();
  }

  const event::Endpoint& bound() const override { return bound_; }
  std::size_t connection_count() const override { return connections_.size(); }

  void Drain() override {
    draining_ = true;
    listener_.reset();
    ForEachConnection([](ClientConnection& connection) { connection.OnDrainBegin(); });
  }

  void SetOptions(const Options& options) override {
    options_ = options;
    ForEachConnection([&](ClientConnection& connection) { connection.SetOptions(options); });
  }

  void SetTls(ServerTls tls) override { tls_ = std::move(tls); }

 private:
  struct Entry {
    std::unique_ptr<ClientConnection> connection;
    bool counted = false;  // in the number of the process; false if it is refused
  };

  void OnAccept(int socket, const event::SocketAddress& peer) {
    const bool accepted = TakePlace() || (CloseIdlest() && TakePlace());
    auto connection =
        std::make_unique<ClientConnection>(loop_, socket, peer.host_text(), options_, tls_.get(),
                                           static_cast<ConnectionOwner&>(*this));
    // Over TLS a 503 needs a handshake first, which is too expensive for a refused connection.
    if (!accepted && (refusals_ >= kRefusalsMax || tls_ != nullptr)) return;
    connection->owner_index = connections_.size();
    connections_.push_back({std::move(connection), accepted});
    if (accepted) return BecameIdle(*connections_.back().connection);
    ++refusals_;
    connections_.back().connection->RefuseForOverload();
  }

  bool TakePlace() {
    if (counted_.fetch_add(1, std::memory_order_relaxed) < options_.connections_max) return true;
    counted_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }

  // Keeps silent clients from filling the limit. Busy connections found in the ring are removed;
  // they rejoin when they become idle.
  bool CloseIdlest() {
    while (!idle_.alone()) {
      auto& connection = static_cast<ClientConnection&>(idle_.next());
      connection.Leave();
      if (connection.CloseIfIdle()) return true;
    }
    return false;
  }

  // Goes from the last to the first: a connection that retires meanwhile is replaced by one that
  // was visited already.
  template <class Visit>
  void ForEachConnection(Visit visit) {
    for (std::size_t i = connections_.size(); i-- > 0;) visit(*connections_[i].connection);
  }

  // ConnectionOwner
  http::ServerService& service() override { return service_; }
  bool draining() const override { return draining_; }

  void WantLaterTurn(ClientConnection& connection) override {
    waiting_for_turn_.push_back(&connection);
    if (waiting_for_turn_.size() > 1) return;
    loop_.Post([self = self_] {
      if (*self != nullptr) (*self)->OnTurn();
    });
  }

  void BecameIdle(ClientConnection& connection) override { connection.MoveBefore(idle_); }

  void Retire(ClientConnection& connection) override {
    connection.Leave();
    if (connection.later_turn_wanted) {
      std::replace(waiting_for_turn_.begin(), waiting_for_turn_.end(), &connection, kNobody);
      std::replace(having_turn_.begin(), having_turn_.end(), &connection, kNobody);
    }
    Entry& entry = connections_[connection.owner_index];
    if (entry.counted) {
      counted_.fetch_sub(1, std::memory_order_relaxed);
    } else {
      --refusals_;
    }
    std::unique_ptr<Retirable> retired = std::move(entry.connection);
    if (&entry != &connections_.back()) {
      entry = std::move(connections_.back());
      entry.connection->owner_index = connection.owner_index;
    }
    connections_.pop_back();
    loop_.DeleteLater(std::move(retired));
  }

  void OnTurn() {
    std::swap(waiting_for_turn_, having_turn_);
    for (std::size_t i = 0; i < having_turn_.size(); ++i) {
      ClientConnection* connection = having_turn_[i];
      if (connection == nullptr) continue;
      connection->later_turn_wanted = false;
      connection->OnLaterTurn();
    }
    having_turn_.clear();
  }

  static constexpr ClientConnection* kNobody = nullptr;

  event::EventLoop& loop_;
  Options options_;
  ServerTls tls_;
  http::ServerService& service_;
  std::atomic<std::size_t>& counted_;
  std::unique_ptr<event::Listener> listener_;
  event::Endpoint bound_;
  bool draining_ = false;
  IdleRingNode idle_;  // begins the ring; the connection idle for longest comes next
  std::vector<Entry> connections_;
  std::size_t refusals_ = 0;
  std::vector<ClientConnection*> waiting_for_turn_;
  std::vector<ClientConnection*> having_turn_;
  // Null once the server is destroyed. Posted tasks share it, because a task may outlive the
  // server; unlike a Ticket it needs no allocation for each turn.
  std::shared_ptr<ServerOnLoop*> self_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(event::EventLoop& loop,
                                              const event::Endpoint& endpoint,
                                              const Options& options, http::ServerService& service,
                                              std::atomic<std::size_t>& connections,
                                              ServerTls tls) {
  auto server = std::make_unique<ServerOnLoop>(loop, options, service, connections, std::move(tls));
  if (auto status = server->Listen(endpoint); !status) return std::move(status).error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace idem::http_server
