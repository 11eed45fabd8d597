#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

namespace idem::support {

namespace {

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error("http client: " + what);
}
[[noreturn]] void FailSystem(const std::string& call) {
  Fail(call + ": " + std::generic_category().message(errno));
}

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::size_t ParseNumber(std::string_view text, int base) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end == text.data()) Fail("no number: '" + std::string(text) + "'");
  return number;
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::optional<std::string> HttpResponse::Find(std::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (SameName(field, name)) return value;
  }
  return std::nullopt;
}

std::string HttpResponse::Field(std::string_view name) const { return Find(name).value_or(""); }

int HttpResponse::Count(std::string_view name) const {
  return static_cast<int>(std::count_if(fields.begin(), fields.end(), [&](const auto& field) {
    return SameName(field.first, name);
  }));
}

HttpClient::HttpClient(std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (socket_ < 0) FailSystem("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(socket_);
    errno = error;
    FailSystem("connect to port " + std::to_string(port));
  }
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

HttpClient::HttpClient(HttpClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), received_(std::move(other.received_)) {}

HttpClient& HttpClient::operator=(HttpClient&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(received_, other.received_);
  return *this;
}

HttpClient::~HttpClient() {
  if (socket_ >= 0) close(socket_);
}

void HttpClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) FailSystem("send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool HttpClient::Receive() {
  pollfd polled{socket_, POLLIN, 0};
  const auto patience = std::chrono::milliseconds(kPatience).count();
  const int ready = poll(&polled, 1, static_cast<int>(patience));
  if (ready == 0) Fail("nothing came; so far: '" + received_ + "'");
  std::array<char, 65536> buffer{};
  const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
  if (count < 0 && errno == EINTR) return true;
  if (count < 0) FailSystem("recv");
  received_.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

std::string HttpClient::ReadLine() {
  std::size_t end = 0;
  while ((end = received_.find("\r\n")) == std::string::npos) {
    if (!Receive()) Fail("the connection ended within a line: '" + received_ + "'");
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 2);
  return line;
}

std::string HttpClient::ReadExactly(std::size_t count) {
  while (received_.size() < count) {
    if (!Receive()) Fail("the connection ended within a body: '" + received_ + "'");
  }
  std::string bytes = received_.substr(0, count);
  received_.erase(0, count);
  return bytes;
}

std::string HttpClient::ReadChunks() {
  std::string body;
  for (;;) {
    const std::size_t size = ParseNumber(ReadLine(), 16);
    if (size == 0) break;
    body += ReadExactly(size);
    if (!ReadLine().empty()) Fail("a chunk is longer than it said");
  }
  while (!ReadLine().empty()) {  // trailers
  }
  return body;
}

std::string HttpClient::ReadToEnd() {
  while (Receive()) {
  }
  return std::exchange(received_, {});
}

HttpResponse HttpClient::ReadHead() {
  HttpResponse response;
  const std::string status_line = ReadLine();
  if (!status_line.starts_with("HTTP/1.") || status_line.size() < 12) {
    Fail("not a status line: '" + status_line + "'");
  }
  response.status = static_cast<int>(ParseNumber(std::string_view(status_line).substr(9, 3), 10));
  if (status_line.size() > 13) response.reason = status_line.substr(13);
  for (std::string line = ReadLine(); !line.empty(); line = ReadLine()) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) Fail("not a field: '" + line + "'");
    response.fields.emplace_back(line.substr(0, colon),
                                 Trimmed(std::string_view(line).substr(colon + 1)));
  }
  return response;
}

void HttpClient::Drop(std::uint64_t bytes) {
  while (bytes > 0) {
    if (received_.empty() && !Receive()) Fail("the connection ended within a body");
    const std::size_t count = std::min<std::uint64_t>(bytes, received_.size());
    received_.erase(0, count);
    bytes -= count;
  }
}

HttpResponse HttpClient::ReadResponse(std::string_view method) {
  HttpResponse response = ReadHead();
  const int status = response.status;
  if (method == "HEAD" || status < 200 || status == 204 || status == 304) return response;
  if (SameName(response.Field("Transfer-Encoding"), "chunked")) {
    response.body = ReadChunks();
  } else if (const auto length = response.Find("Content-Length")) {
    response.body = ReadExactly(ParseNumber(*length, 10));
  } else {
    response.body = ReadToEnd();
  }
  return response;
}

HttpResponse HttpClient::Ask(std::string_view method, std::string_view target,
                             const FieldList& fields, std::string_view body) {
  Send(RequestText(method, target, fields, body));
  HttpResponse response = ReadResponse(method);
  while (response.status < 200) response = ReadResponse(method);
  return response;
}

HttpClient::Ending HttpClient::ReadEnding() {
  for (;;) {
    pollfd polled{socket_, POLLIN, 0};
    const auto patience = std::chrono::milliseconds(kPatience).count();
    if (poll(&polled, 1, static_cast<int>(patience)) == 0) Fail("the connection stays open");
    std::array<char, 4096> buffer{};
    const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
    if (count == 0) return Ending::kOrderly;
    if (count < 0 && errno == ECONNRESET) return Ending::kReset;
    if (count < 0 && errno != EINTR) FailSystem("recv");
  }
}

bool HttpClient::Silent(std::chrono::milliseconds wait) {
  pollfd polled{socket_, POLLIN, 0};
  return received_.empty() && poll(&polled, 1, static_cast<int>(wait.count())) == 0;
}

void HttpClient::EndWriting() { shutdown(socket_, SHUT_WR); }

void HttpClient::Reset() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(std::exchange(socket_, -1));
}

HttpResponse AskOnce(std::uint16_t port, std::string_view method, std::string_view target,
                     const FieldList& fields, std::string_view body) {
  return HttpClient(port).Ask(method, target, fields, body);
}

std::string RequestText(std::string_view method, std::string_view target, const FieldList& fields,
                        std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\n");
  for (const auto& [name, value] : fields) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  return text.append("\r\n").append(body);
}

}  // namespace idem::support
