// A small blocking HTTP/1.1 client: what it sends is what the test wrote, byte for byte, and what
// it reads it reads with code of its own, so that a mistake of the proxy's parser is not also the
// test's.
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
  FieldList fields;  // in their order, names as written
  std::string body;  // decoded

  /// The value of the first field with that name (any case).
  [[nodiscard]] std::optional<std::string> Find(std::string_view name) const;
  /// The same, or "".
  [[nodiscard]] std::string Field(std::string_view name) const;
  [[nodiscard]] int Count(std::string_view name) const;
};

/// One connection. Every failure, a wait beyond kPatience among them, is a std::runtime_error.
class HttpClient {
 public:
  /// To 127.0.0.1.
  explicit HttpClient(std::uint16_t port);
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&& other) noexcept;
  ~HttpClient();

  /// All of it, or fails.
  void Send(std::string_view bytes);
  /// The next response, interim (1xx) ones too. `method` is what it answers: HEAD has no body.
  HttpResponse ReadResponse(std::string_view method = "GET");
  /// Its head alone, and then so many bytes of what follows: for bodies that no test wants to hold.
  HttpResponse ReadHead();
  void Drop(std::uint64_t bytes);
  /// Sends and reads; adds Host, and Content-Length where there is a body. Interim responses are
  /// skipped.
  HttpResponse Ask(std::string_view method, std::string_view target, const FieldList& fields = {},
                   std::string_view body = {});

  enum class Ending { kOrderly, kReset };
  /// Reads, and drops what comes, until the other side ends the connection.
  Ending ReadEnding();
  /// Whether nothing came within `wait`. For "no answer" only, where no event tells.
  bool Silent(std::chrono::milliseconds wait);

  void EndWriting();  // FIN
  void Reset();       // RST; the object is then closed

 private:
  bool Receive();  // more bytes into received_; false at the end
  std::string ReadLine();
  std::string ReadExactly(std::size_t count);
  std::string ReadChunks();
  std::string ReadToEnd();

  int socket_ = -1;
  std::string received_;
};

/// One request on a connection of its own.
HttpResponse AskOnce(std::uint16_t port, std::string_view method, std::string_view target,
                     const FieldList& fields = {}, std::string_view body = {});

/// The text of a request with Host, and with Content-Length where there is a body or the method is
/// POST, PUT or PATCH.
[[nodiscard]] std::string RequestText(std::string_view method, std::string_view target,
                                      const FieldList& fields = {}, std::string_view body = {});

}  // namespace idem::support
