#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

namespace idem::support {

namespace {

/// Accepts one connection and sends `answer` on it.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(bind(listener_, generic, size) == 0);
    REQUIRE(listen(listener_, 1) == 0);
    REQUIRE(getsockname(listener_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] {
      const int socket = accept(listener_, nullptr, nullptr);
      char byte = 0;
      static_cast<void>(!read(socket, &byte, 1));
      static_cast<void>(!write(socket, answer.data(), answer.size()));
      shutdown(socket, SHUT_WR);
      while (read(socket, &byte, 1) > 0) {
      }
      close(socket);
    });
  }
  ~OneAnswer() {
    thread_.join();
    close(listener_);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace

TEST_CASE("the client reads bodies by length, by chunks and to the end") {
  struct Row {
    std::string_view framing;
    std::string_view body;
  };
  for (const Row& row :
       {Row{"Content-Length: 5\r\n\r\nhello", "hello"},
        Row{"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"},
        Row{"\r\nhello", "hello"}}) {
    CAPTURE(row.framing);
    const OneAnswer server("HTTP/1.1 200 All Right\r\nX-A: 1 \r\nx-a: 2\r\n" +
                           std::string(row.framing));
    const HttpResponse response = AskOnce(server.port(), "GET", "/");
    CHECK(response.status == 200);
    CHECK(response.reason == "All Right");
    CHECK(response.Field("x-A") == "1");
    CHECK(response.Count("X-A") == 2);
    CHECK(response.body == row.body);
  }
}

TEST_CASE("an answer that is cut is a failure") {
  const OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
  CHECK_THROWS_AS(AskOnce(server.port(), "GET", "/"), std::runtime_error);
}

}  // namespace idem::support
