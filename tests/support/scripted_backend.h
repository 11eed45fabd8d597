// A backend on real sockets that sends exactly the bytes of a test's script.
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

/// A request as the backend read it, with its own minimal parser.
struct BackendRequest {
  std::string method;
  std::string target;
  std::string head;    // raw, without the empty line
  std::string body;    // decoded if it was chunked
  int connection = 0;  // counted from 1, in the order of accepting
  int number = 0;      // counted from 1 on its connection

  /// Returns the value of the first field line with that name (any case), or "".
  [[nodiscard]] std::string Field(std::string_view name) const;
};

/// The actions of a script that answers one request. It runs on the connection's own thread and may
/// block; the end of the backend ends every wait.
class Conversation {
 public:
  virtual ~Conversation() = default;
  virtual const BackendRequest& request() const = 0;
  /// Sends the bytes unchanged. A peer that has left is ignored.
  virtual void Send(std::string_view bytes) = 0;
  /// Reads up to `bytes` of the raw body, for scripts that run before the body is read.
  virtual std::string ReadSome(std::size_t bytes) = 0;
  /// Waits until the peer has ended or cut the connection. Returns whether it was cut with RST.
  virtual bool WaitForEnd() = 0;
  /// Waits for ScriptedBackend::Release().
  virtual void WaitForRelease() = 0;
  /// Sends FIN. No more requests are read.
  virtual void Close() = 0;
  /// Sends RST.
  virtual void Reset() = 0;
};

/// Listens for its whole life, on 127.0.0.1 and a port of the system's choice or on a Unix socket.
/// Each connection has a thread. Requests are counted for every script.
class ScriptedBackend {
 public:
  using Script = std::function<void(Conversation&)>;

  struct Options {
    std::string unix_path;            // "" to listen on a port
    bool script_before_body = false;  // run the script when the head is complete
    std::string greeting;             // sent on every new connection before any request
    int receive_buffer_bytes = 0;     // 0 for the system's default
  };

  explicit ScriptedBackend(Script script) : ScriptedBackend(std::move(script), Options()) {}
  ScriptedBackend(Script script, Options options);
  ~ScriptedBackend();
  ScriptedBackend(const ScriptedBackend&) = delete;
  ScriptedBackend& operator=(const ScriptedBackend&) = delete;

  /// Returns "127.0.0.1:PORT" or "unix:PATH".
  [[nodiscard]] std::string address() const { return address_; }
  [[nodiscard]] int port() const { return port_; }

  [[nodiscard]] int connections() const;
  [[nodiscard]] int requests() const;
  /// Returns the number of requests with that Idempotency-Key. The next returns the highest number
  /// of any key, which must never be 2.
  [[nodiscard]] int requests_with_key(const std::string& key) const;
  [[nodiscard]] int most_requests_with_one_key() const;
  [[nodiscard]] std::vector<BackendRequest> seen() const;

  /// Waits until that many came. Returns false after 20 s.
  bool WaitForRequests(int count);
  /// Lets every WaitForRelease() return, now and later.
  void Release();
  /// Ends open connections with FIN and returns when the FIN has arrived. New connections are
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

  mutable std::mutex mutex_;  // guards all members below
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

/// Returns "HTTP/1.1 STATUS X\r\nContent-Length: N\r\n\r\nBODY".
std::string Response(int status, std::string_view body, std::string_view more_fields = "");

/// Returns a script that always sends `response`.
ScriptedBackend::Script Always(std::string response);

/// A port of 127.0.0.1 that refuses connections for as long as this lives.
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
