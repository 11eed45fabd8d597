// A backend that is spoken to over TLS, and says what of a request has reached it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "proxy/event/connection.h"
#include "proxy/event/listener.h"

namespace idem::support {

/// Listens on a port of 127.0.0.1 from its making to its end, on a thread of its own. Answers every
/// request the same.
class TlsBackend {
 public:
  enum class Then {
    kKeep,
    kEnd,  // in order: close_notify, then FIN
    kCut,  // FIN alone
  };
  struct Options {
    std::string certificate;
    std::string key;
    std::string client_ca = {};
    std::string answer;
    Then then = Then::kKeep;
  };
  explicit TlsBackend(const Options& options);
  ~TlsBackend();
  TlsBackend(const TlsBackend&) = delete;
  TlsBackend& operator=(const TlsBackend&) = delete;

  [[nodiscard]] std::string port() const { return std::to_string(port_); }
  /// Every decrypted byte so far, of all connections.
  [[nodiscard]] std::string received() const;
  /// The subject of the certificate that the last request's connection showed.
  [[nodiscard]] std::string peer_subject() const;
  /// Until so many connections have failed (in their handshake, or later); false after 20 s.
  bool WaitForFailures(int count);

 private:
  class Connection;
  void Run(std::promise<void>& listens);

  const Options options_;
  std::unique_ptr<event::TlsContext> context_;
  std::uint16_t port_ = 0;

  mutable std::mutex mutex_;  // the three below
  std::condition_variable changed_;
  std::string received_;
  std::string peer_subject_;
  int failures_ = 0;

  event::EventLoop* loop_ = nullptr;  // the thread's
  std::thread thread_;
};

}  // namespace idem::support
