// A TCP relay for tests: between a program and its server, it delays, cuts, stalls and swallows.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace idem::support {

/// Listens on a free port of 127.0.0.1 and passes on to another, on a thread of its own. Members
/// may be called from any thread and hold from their return on, for connections that are open and
/// for those to come. Every failure is a std::runtime_error.
class Relay {
 public:
  /// To 127.0.0.1:`server_port`.
  explicit Relay(std::uint16_t server_port);
  ~Relay();  // cuts what is open
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  /// `watcher` sees every piece that is read from a client, before it is passed on, on the relay's
  /// thread; it must not call the relay.
  void WatchClients(std::function<void(std::string_view)> watcher);

  /// What comes from either side is passed on that much later. 0: at once.
  void Delay(std::chrono::milliseconds delay);
  /// Nothing is read from either side until Resume(); connections are still made. What was held
  /// back then goes its way.
  void Stall();
  void Resume();
  /// What is read from now on is thrown away, for connections to come as well, until Resume().
  void Blackhole();
  /// Ends every open connection with RST, on both sides.
  void Cut();
  /// Passes on `bytes` more from the server, all connections together, then cuts the connection
  /// that brings more. Once.
  void CutAfterReply(std::size_t bytes);
  /// Connections are ended with RST as soon as they are made, until Accept().
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
