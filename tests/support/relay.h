// A TCP relay for tests: it delays, cuts, stalls and drops traffic between a program and its
// server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace idem::support {

/// Listens on a free port of 127.0.0.1 and passes bytes on to another, on its own thread. Members
/// are thread-safe. They take effect when they return, for open and for future connections. Every
/// failure is a std::runtime_error.
class Relay {
 public:
  /// Relays to 127.0.0.1:`server_port`.
  explicit Relay(std::uint16_t server_port);
  ~Relay();  // cuts open connections
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  /// `watcher` gets every piece from a client before it is passed on. It runs on the relay's thread
  /// and must not call the relay.
  void WatchClients(std::function<void(std::string_view)> watcher);

  /// Passes bytes of both sides on after `delay`; 0 means at once.
  void Delay(std::chrono::milliseconds delay);
  /// Reads nothing from either side until Resume(); connections are still accepted. The bytes held
  /// back are passed on then.
  void Stall();
  void Resume();
  /// Drops all bytes that are read until Resume(), on future connections too.
  void Blackhole();
  /// Ends every open connection with RST, on both sides.
  void Cut();
  /// Passes on `bytes` more from the server, summed over all connections, then cuts the connection
  /// that brings more. Happens once.
  void CutAfterReply(std::size_t bytes);
  /// Ends new connections with RST, until Accept().
  void Refuse();
  void Accept();

  [[nodiscard]] std::size_t connections_made() const;  // since the start
  [[nodiscard]] std::size_t connections_open() const;
  [[nodiscard]] std::uint64_t bytes_to_server() const;
  [[nodiscard]] std::uint64_t bytes_to_client() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace idem::support
