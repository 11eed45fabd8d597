// A small blocking HTTP/1.1 client. It sends the bytes that the test wrote, and reads with its own
// code, so that an error in the proxy's parser is not also in the test.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/process.h"

namespace idem::support {

using FieldList = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
  int status = 0;
  std::string reason;
  FieldList fields;  // in order, names as received
  std::string body;  // decoded

  /// Returns the value of the first field with that name (any case).
  [[nodiscard]] std::optional<std::string> Find(std::string_view name) const;
  /// Returns the value of the first field with that name, or "".
  [[nodiscard]] std::string Field(std::string_view name) const;
  [[nodiscard]] int Count(std::string_view name) const;
};

/// One connection. Every failure, a wait beyond kPatience included, is a std::runtime_error.
class HttpClient {
 public:
  /// Connects to 127.0.0.1.
  explicit HttpClient(std::uint16_t port);
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&& other) noexcept;
  ~HttpClient();

  /// Sends all bytes or fails.
  void Send(std::string_view bytes);
  /// Reads the next response, interim (1xx) ones included. `method` is the request's, because a
  /// response to HEAD has no body.
  HttpResponse ReadResponse(std::string_view method = "GET");
  /// Reads the head only, and then the given number of body bytes: for bodies that no test wants to
  /// hold.
  HttpResponse ReadHead();
  void Drop(std::uint64_t bytes);
  /// Sends a request and reads its response. Adds Host, and Content-Length if there is a body.
  /// Skips interim responses.
  HttpResponse Ask(std::string_view method, std::string_view target, const FieldList& fields = {},
                   std::string_view body = {});

  enum class Ending { kOrderly, kReset };
  /// Reads and drops bytes until the other side ends the connection.
  Ending ReadEnding();
  /// Returns whether nothing came within `wait`. Use it for "no answer" only, where no event can be
  /// awaited.
  bool Silent(std::chrono::milliseconds wait);

  void EndWriting();  // sends FIN
  void Reset();       // sends RST; the object is then closed

 private:
  bool Receive();  // reads more bytes into received_; false at the end
  std::string ReadLine();
  std::string ReadExactly(std::size_t count);
  std::string ReadChunks();
  std::string ReadToEnd();

  int socket_ = -1;
  std::string received_;
};

/// Sends one request on its own connection.
HttpResponse AskOnce(std::uint16_t port, std::string_view method, std::string_view target,
                     const FieldList& fields = {}, std::string_view body = {});

/// Returns a request with Host, and with Content-Length if there is a body or the method is POST,
/// PUT or PATCH.
[[nodiscard]] std::string RequestText(std::string_view method, std::string_view target,
                                      const FieldList& fields = {}, std::string_view body = {});

}  // namespace idem::support
