#include "proxy/cli/admin_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "proxy/http/head_writer.h"
#include "proxy/http/parser.h"

namespace idem::cli {

namespace {

constexpr std::size_t kAnswerBytesMax = 64 << 20;

/// A blocking socket, closed at the end.
class Socket {
 public:
  explicit Socket(int family) : descriptor_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{30, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] bool Connect(const event::SocketAddress& to) const {
    return connect(descriptor_, reinterpret_cast<const sockaddr*>(&to.storage), to.size) == 0;
  }
  [[nodiscard]] bool SendAll(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Returns the number of bytes added to `to`, 0 at the end, or -1 after an error.
  ssize_t Receive(std::string& to) const {
    char buffer[16384];
    ssize_t count = 0;
    do {
      count = recv(descriptor_, buffer, sizeof buffer, 0);
    } while (count < 0 && errno == EINTR);
    if (count > 0) to.append(buffer, static_cast<std::size_t>(count));
    return count;
  }

 private:
  int descriptor_;
};

class AnswerReader final : public http::ResponseEvents {
 public:
  explicit AnswerReader(std::string_view method) : parser_({}, *this) { parser_.Begin(method); }

  /// Returns false if the bytes are not HTTP.
  bool Feed(std::string& received) {
    http::ResponseParser::Progress progress;
    do {
      progress = parser_.Feed(received);
      if (progress.error != nullptr) return false;
      received.erase(0, progress.consumed);
    } while (progress.again && !ended);
    return true;
  }

  void OnResponseHead() override { answer.status = parser_.head().status; }
  void OnResponseBody(std::string_view bytes) override { answer.body += bytes; }
  void OnResponseEnd() override { ended = true; }

  AdminResponse answer;
  bool ended = false;

 private:
  http::ResponseParser parser_;
};

}  // namespace

Result<AdminResponse> AdminClient::Get(std::string_view target) const {
  return Ask("GET", target, "");
}

Result<AdminResponse> AdminClient::PostJson(std::string_view target, std::string_view json) const {
  return Ask("POST", target, json);
}

Result<AdminResponse> AdminClient::Ask(std::string_view method, std::string_view target,
                                       std::string_view json) const {
  const std::string where = "the admin listener at " + endpoint_.ToText();
  const auto failed = [&](const char* what) {
    const bool silent = errno == EAGAIN || errno == EWOULDBLOCK;
    return Error{ErrorCode::kUnavailable,
                 where + " " + what + ": " +
                     (silent ? "no response in 30 s" : std::system_category().message(errno))};
  };
  const auto address = event::SocketAddress::FromLiteral(endpoint_);
  if (!address) return address.error();
  const Socket socket(address->storage.ss_family);
  if (!socket.Connect(*address)) return failed("cannot be reached (is the proxy running?)");

  http::RequestHead head;
  head.method = method;
  head.target = target;
  head.keep_alive = false;
  head.fields.Add("Host", endpoint_.unix_path.empty() ? endpoint_.ToText() : "localhost");
  if (token_) head.fields.Add("Authorization", "Bearer " + std::string(token_->bytes()));
  if (method == "POST") {
    head.fields.Add("Content-Type", "application/json");
    head.body = http::BodyLength::Known(json.size());
  }
  std::string bytes;
  http::AppendRequestHead(head, bytes);
  bytes += json;
  // A server that refuses a request may close before it has read all of it. Its response counts.
  const bool sent = socket.SendAll(bytes);

  AnswerReader reader(method);
  std::string received;
  while (!reader.ended) {
    const ssize_t count = socket.Receive(received);
    if (count < 0) return failed(sent ? "does not answer" : "did not take the request");
    if (count == 0) return Error{ErrorCode::kUnavailable, where + " sent an incomplete response"};
    const bool fits = reader.answer.body.size() + received.size() <= kAnswerBytesMax;
    if (!fits || !reader.Feed(received)) {
      return Error{ErrorCode::kUnavailable, where + " did not send a valid HTTP response"};
    }
  }
  return std::move(reader.answer);
}

}  // namespace idem::cli
