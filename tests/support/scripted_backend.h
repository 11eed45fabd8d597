// A backend that does what a test tells it, byte for byte, on real sockets.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace idem::support {

/// A request as the backend read it, with a parser of its own that knows no more than it needs.
struct BackendRequest {
  std::string method;
  std::string target;
  std::string head;    // raw, without the empty line
  std::string body;    // decoded where it was chunked
  int connection = 0;  // counted from 1, in the order of accepting
  int number = 0;      // counted from 1 on its connection

  /// The value of the first field line with that name (any case), or "".
  [[nodiscard]] std::string Field(std::string_view name) const;
};

/// What a script may do while it answers one request. Runs on the connection's own thread; blocking
/// is allowed, the end of the backend ends every wait.
class Conversation {
 public:
  virtual ~Conversation() = default;
  virtual const BackendRequest& request() const = 0;
  /// Raw bytes, as they are. Ignores a peer that has gone.
  virtual void Send(std::string_view bytes) = 0;
  /// Up to `bytes` of the raw body; for scripts that run before the body is read.
  virtual std::string ReadSome(std::size_t bytes) = 0;
  /// Waits until the peer has ended or cut the connection; whether it was cut (RST).
  virtual bool WaitForEnd() = 0;
  /// Waits for ScriptedBackend::Release().
  virtual void WaitForRelease() = 0;
  /// FIN, after which no more requests are read.
  virtual void Close() = 0;
  /// RST.
  virtual void Reset() = 0;
};

/// Listens from its making to its end, on 127.0.0.1 and a port of the system's choice or on a Unix
/// socket; one thread for each connection. Whatever the script, requests are counted.
class ScriptedBackend {
 public:
  using Script = std::function<void(Conversation&)>;

  struct Options {
    std::string unix_path;            // "" for a port
    bool script_before_body = false;  // the script runs when the head is there
    std::string greeting;             // sent on every new connection before any request
    int receive_buffer_bytes = 0;     // 0: the system's
  };

  explicit ScriptedBackend(Script script) : ScriptedBackend(std::move(script), Options()) {}
  ScriptedBackend(Script script, Options options);
  ~ScriptedBackend();
  ScriptedBackend(const ScriptedBackend&) = delete;
  ScriptedBackend& operator=(const ScriptedBackend&) = delete;

  /// "127.0.0.1:PORT" or "unix:PATH".
  [[nodiscard]] std::string address() const { return address_; }
  [[nodiscard]] int port() const { return port_; }

  [[nodiscard]] int connections() const;
  [[nodiscard]] int requests() const;
  /// How often that Idempotency-Key came, and the highest count of any key: what may never be 2.
  [[nodiscard]] int requests_with_key(const std::string& key) const;
  [[nodiscard]] int most_requests_with_one_key() const;
  [[nodiscard]] std::vector<BackendRequest> seen() const;

  /// Wait until so many came; false after 20 s.
  bool WaitForRequests(int count);
  /// Lets every WaitForRelease() return, now and later.
  void Release();
  /// Cuts the connections that are open, with FIN, and returns when it has arrived. New ones are
  /// accepted.
  void CloseConnections();

 private:
  friend class BackendConnection;

  void Accept();
  void Count(const BackendRequest& request);

  const Script script_;
  const Options options_;
  std::string address_;
  int port_ = 0;
  int listener_ = -1;

  mutable std::mutex mutex_;  // all below
  std::condition_variable changed_;
  bool stopped_ = false;
  bool released_ = false;
  int connections_ = 0;
  std::vector<int> open_sockets_;
  std::vector<BackendRequest> seen_;
  std::map<std::string, int> keys_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// A complete response: "HTTP/1.1 STATUS X\r\nContent-Length: N\r\n\r\nBODY".
std::string Response(int status, std::string_view body, std::string_view more_fields = "");

/// A script that always answers the same.
ScriptedBackend::Script Always(std::string response);

/// A port of 127.0.0.1 that refuses connections as long as this lives.
class RefusingPort {
 public:
  RefusingPort();
  ~RefusingPort();
  RefusingPort(const RefusingPort&) = delete;
  RefusingPort& operator=(const RefusingPort&) = delete;
  [[nodiscard]] std::string address() const { return address_; }

 private:
  int socket_ = -1;
  std::string address_;
};

}  // namespace idem::support
