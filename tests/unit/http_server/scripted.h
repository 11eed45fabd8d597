// A service that acts by the path of a request, and a client that sends raw bytes. Both run on the
// loop of the test's own thread.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/event/event_loop.h"
#include "proxy/http_server/server.h"
#include "tests/support/run_loop.h"

namespace idem::http_server {

/// "/echo" answers with the body, "/chunks" in pieces of unknown length, "/early" without reading
/// the body, "/hold" when the test lets it. `log` holds the events of the handlers.
class ScriptedService final : public http::ServerService {
 public:
  struct Handler final : http::ServerHandler {
    Handler(ScriptedService& owner, http::ServerStream& its_stream, http::RequestHead& its_head)
        : service(owner), stream(&its_stream) {
      std::swap(head, its_head);
    }

    void OnBody(std::string_view bytes) override { body += bytes; }
    void OnBodyEnd() override {
      service.log += "end;";
      if (head.target == "/echo") Answer(200, body);
      if (head.target == "/chunks") {
        SendHead(200, {.kind = http::BodyLength::Kind::kUntilClose});
        stream->SendBody("ab");
        stream->SendBody("cde");
        End();
      }
    }
    void OnBodyError(const http::ParseError& error) override {
      service.log += "error " + std::to_string(error.status) + ";";
      Answer(error.status, "");
    }
    void OnClientGone() override {
      service.log += "gone;";
      stream = nullptr;
    }
    void OnDrained() override { service.log += "drained;"; }

    void SendHead(std::uint16_t status, const http::BodyLength& length) {
      http::ResponseHead answer;
      answer.status = status;
      answer.body = length;
      answer.fields.Add("Date", "D");
      stream->SendHead(answer);
    }
    void Answer(std::uint16_t status, std::string_view text) {
      SendHead(status, http::BodyLength::Known(text.size()));
      stream->SendBody(text);
      End();
    }
    void End() {
      stream->End();
      stream = nullptr;
    }

    ScriptedService& service;
    http::ServerStream* stream;
    http::RequestHead head;
    std::string body;
  };

  http::ServerHandler* OnRequest(http::ServerStream& stream, http::RequestHead& head) override {
    log += head.method + " " + head.target + ";";
    Handler& handler = Make(stream, head);
    if (handler.head.target == "/early") {
      handler.Answer(413, "no");
    } else if (handler.head.target != "/hold") {
      stream.ResumeBody();
    }
    return &handler;
  }
  http::ServerHandler* OnBadRequest(http::ServerStream& stream, http::RequestHead& head,
                                    const http::ParseError& error) override {
    log += "bad " + std::to_string(error.status) + ";";
    Handler& handler = Make(stream, head);
    handler.Answer(error.status, error.name);
    return &handler;
  }

  Handler& last() { return *handlers_.back(); }

  std::string log;

 private:
  Handler& Make(http::ServerStream& stream, http::RequestHead& head) {
    return *handlers_.emplace_back(std::make_unique<Handler>(*this, stream, head));
  }
  std::vector<std::unique_ptr<Handler>> handlers_;  // kept until the test ends
};

class RawClient {
 public:
  explicit RawClient(const event::Endpoint& server)
      : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    fcntl(socket_, F_SETFL, O_NONBLOCK);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(socket_); }

  void Send(std::string_view bytes) {
    REQUIRE(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void EndWriting() { shutdown(socket_, SHUT_WR); }
  void Reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(std::exchange(socket_, -1));
  }

  /// Reads the bytes that have come.
  void Poll() {
    char buffer[65536];
    for (;;) {
      const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
      if (got > 0) {
        received.append(buffer, static_cast<std::size_t>(got));
        continue;
      }
      ended |= got == 0;
      reset |= got < 0 && errno != EAGAIN;
      return;
    }
  }

  std::string received;
  bool ended = false;  // FIN
  bool reset = false;  // RST

 private:
  int socket_;
};

/// A loop with a server on it.
struct ServerOnTest {
  explicit ServerOnTest(const Options& options = {}) {
    event::Endpoint any;
    any.host = "127.0.0.1";
    auto started = Server::Start(loop, any, options, service, connections);
    REQUIRE(started.has_value());
    server = std::move(started).value();
  }

  /// Turns the loop until the client has received a text that ends in `text`.
  void Expect(RawClient& client, std::string_view text) {
    support::RunUntil(loop, [&] {
      client.Poll();
      return client.received.size() >= text.size() || client.ended || client.reset;
    });
    CHECK(client.received == text);
    client.received.clear();
  }
  void ExpectEnd(RawClient& client) {
    support::RunUntil(loop, [&] {
      client.Poll();
      return client.ended || client.reset;
    });
    CHECK(client.ended);
    CHECK(client.received.empty());
  }
  void ExpectLog(std::string_view log) {
    support::RunUntil(loop, [&] { return service.log.size() >= log.size(); });
    CHECK(service.log == log);
  }

  event::EventLoop loop;
  ScriptedService service;
  std::atomic<std::size_t> connections{0};
  std::unique_ptr<Server> server;
};

}  // namespace idem::http_server
