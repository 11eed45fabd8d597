// A TLS backend that records the bytes of each request.
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

/// Listens on a port of 127.0.0.1 for its whole life, on its own thread. It gives every request the
/// same answer.
class TlsBackend {
 public:
  enum class Then {
    kKeep,
    kEnd,  // in order: close_notify, then FIN
    kCut,  // FIN only
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
  /// Returns every decrypted byte so far, of all connections.
  [[nodiscard]] std::string received() const;
  /// Returns the subject of the client certificate of the last request's connection.
  [[nodiscard]] std::string peer_subject() const;
  /// Waits until that many connections have failed, in their handshake or later. Returns false
  /// after 20 s.
  bool WaitForFailures(int count);

 private:
  class Connection;
  void Run(std::promise<void>& listens);

  const Options options_;
  std::unique_ptr<event::TlsContext> context_;
  std::uint16_t port_ = 0;

  mutable std::mutex mutex_;  // guards the three members below
  std::condition_variable changed_;
  std::string received_;
  std::string peer_subject_;
  int failures_ = 0;

  event::EventLoop* loop_ = nullptr;  // used by the thread only
  std::thread thread_;
};

}  // namespace idem::support
