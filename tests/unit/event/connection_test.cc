#include "proxy/event/connection.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "proxy/event/listener.h"
#include "tests/support/run_loop.h"

namespace idem::event {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using support::RunBriefly;
using support::RunUntil;

/// One end of a connection and its events.
struct End final : ConnectionEvents {
  void OnConnected() override { connected = true; }
  void OnData() override {
    if (destroy_in_data) return connection.reset();
    if (!consumes) return;
    bytes += connection->received();
    connection->Consume(connection->received().size());
    if (pause_in_data) connection->PauseReading();
  }
  void OnEnd() override { ended = true; }
  void OnDrained() override { ++drained; }
  void OnFailure(const Error& failure) override {
    ++failures;
    error = failure;
    if (destroy_in_failure) connection.reset();
  }

  std::unique_ptr<Connection> connection;
  bool connected = false;
  bool ended = false;
  bool consumes = true;
  bool pause_in_data = false;
  bool destroy_in_data = false;
  bool destroy_in_failure = false;
  int drained = 0;
  int failures = 0;
  Error error;
  std::string bytes;
};

/// Two connected ends on one loop.
struct Pair {
  explicit Pair(const Connection::Options& server_options = {}) {
    auto endpoint = Endpoint::Parse("127.0.0.1:0");
    auto listening = Listener::Listen(loop, *endpoint, [&](int socket, const SocketAddress&) {
      server.connection = Connection::Accepted(loop, socket, server, server_options);
    });
    REQUIRE(listening.has_value());
    client.connection = Connection::Connect(
        loop, *SocketAddress::FromLiteral((*listening)->bound()), seconds(5), client, {});
    RunUntil(loop, [&] { return client.connected && server.connection != nullptr; });
  }
  EventLoop loop;
  End client, server;
};

TEST_CASE("bytes go both ways, and an end on one side leaves the other way open") {
  Pair pair;
  CHECK(pair.client.connection->Write("hello ", "world"));
  CHECK(pair.client.connection->unsent_bytes() == 0);
  RunUntil(pair.loop, [&] { return pair.server.bytes == "hello world"; });
  pair.client.connection->EndWriting();
  RunUntil(pair.loop, [&] { return pair.server.ended; });
  CHECK(pair.server.connection->Write("still here"));
  RunUntil(pair.loop, [&] { return pair.client.bytes == "still here"; });
  CHECK(pair.client.failures + pair.server.failures == 0);
}

TEST_CASE("more than the kernel takes is kept, sent in order, and its end is reported once") {
  Pair pair;
  std::string sent(8 << 20, 'x');
  for (std::size_t i = 0; i < sent.size(); i += 4099) sent[i] = static_cast<char>('a' + i % 26);
  CHECK(pair.client.connection->Write(std::string_view(sent).substr(0, 100),
                                      std::string_view(sent).substr(100)));
  CHECK(pair.client.connection->unsent_bytes() > 0);
  CHECK(pair.client.drained == 0);
  pair.client.connection->EndWriting();
  RunUntil(pair.loop, [&] { return pair.server.ended; });
  CHECK((pair.server.bytes == sent));  // not printed
  CHECK(pair.client.drained == 1);
  CHECK(pair.client.connection->unsent_bytes() == 0);
}

TEST_CASE("what is not consumed stays readable in one piece, up to the maximum") {
  Pair pair({.read_buffer_bytes = 1024, .read_buffer_max = 64 * 1024});
  pair.server.consumes = false;
  std::string sent(300'000, ' ');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>('a' + i * 7 % 26);
  pair.client.connection->Write(sent);
  RunUntil(pair.loop, [&] { return pair.server.connection->received().size() == 64 * 1024; });
  RunBriefly(pair.loop);
  CHECK(pair.server.connection->received().size() == 64 * 1024);
  std::string got;
  RunUntil(pair.loop, [&] {
    const auto some = pair.server.connection->received().substr(0, 10'007);
    got += some;
    pair.server.connection->Consume(some.size());
    return got.size() == sent.size();
  });
  CHECK((got == sent));  // not printed
}

TEST_CASE("a paused connection reports nothing; resumed, it delivers what was left and what came") {
  Pair pair;
  pair.server.connection->PauseReading();
  pair.client.connection->Write("one");
  RunBriefly(pair.loop);
  CHECK(pair.server.bytes.empty());
  pair.server.connection->ResumeReading();
  CHECK(pair.server.bytes.empty());
  RunUntil(pair.loop, [&] { return pair.server.bytes == "one"; });

  pair.server.consumes = false;
  pair.client.connection->Write("two");
  RunUntil(pair.loop, [&] { return pair.server.connection->received() == "two"; });
  pair.server.connection->PauseReading();
  pair.server.consumes = true;
  pair.server.connection->ResumeReading();
  RunUntil(pair.loop, [&] { return pair.server.bytes == "onetwo"; });

  pair.server.pause_in_data = true;
  pair.client.connection->Write("three");
  RunUntil(pair.loop, [&] { return pair.server.bytes == "onetwothree"; });
  pair.client.connection->EndWriting();
  RunBriefly(pair.loop);
  CHECK_FALSE(pair.server.ended);
  pair.server.pause_in_data = false;
  pair.server.connection->ResumeReading();
  RunUntil(pair.loop, [&] { return pair.server.ended; });
}

TEST_CASE("the owner may destroy the connection inside any event") {
  Pair pair;
  pair.server.destroy_in_data = true;
  pair.client.destroy_in_failure = true;
  pair.client.connection->Write("x");
  RunUntil(pair.loop, [&] { return pair.server.connection == nullptr; });
  // The server has read everything, hence FIN.
  RunUntil(pair.loop, [&] { return pair.client.ended; });
  pair.client.connection->Write("nobody reads this");
  RunUntil(pair.loop, [&] {
    if (pair.client.connection != nullptr) pair.client.connection->Write("nor this");
    return pair.client.connection == nullptr;
  });
  CHECK(pair.client.failures == 1);
}

TEST_CASE("an abort is seen as a failure, a plain destruction as an end") {
  Pair pair;
  pair.client.connection->Abort();
  CHECK_FALSE(pair.client.connection->Write("x"));
  RunUntil(pair.loop, [&] { return pair.server.failures == 1; });
  CHECK(pair.server.error.code == ErrorCode::kUnavailable);
  CHECK_FALSE(pair.server.ended);

  Pair other;
  other.client.connection.reset();
  RunUntil(other.loop, [&] { return other.server.ended; });
  CHECK(other.server.failures == 0);
}

TEST_CASE("an answer that came before a reset is still delivered when a write finds the reset") {
  Pair pair;
  pair.client.consumes = false;
  pair.client.connection->PauseReading();
  pair.server.connection->Write("early answer");
  RunBriefly(pair.loop);
  pair.client.connection->Write("unread");
  RunUntil(pair.loop, [&] { return pair.server.bytes == "unread"; });
  pair.server.connection->Abort();
  RunUntil(pair.loop, [&] { return !pair.client.connection->Write("x"); });
  CHECK_FALSE(pair.client.connection->Write("y"));
  pair.client.consumes = true;
  pair.client.connection->ResumeReading();
  RunUntil(pair.loop, [&] { return pair.client.failures == 1; });
  CHECK(pair.client.bytes == "early answer");
  CHECK_FALSE(pair.client.ended);
}

TEST_CASE("an owner who has paused reading still gets the error of a failed write") {
  constexpr std::size_t kMax = 64 * 1024;
  Pair pair({.read_buffer_bytes = 1024, .read_buffer_max = kMax});
  pair.server.consumes = false;
  pair.client.connection->Write(std::string(4 * kMax, 'x'));
  RunUntil(pair.loop, [&] { return pair.server.connection->received().size() == kMax; });
  pair.client.connection->Abort();
  RunUntil(pair.loop, [&] { return !pair.server.connection->Write("x"); });
  RunUntil(pair.loop, [&] { return pair.server.failures == 1; });
}

TEST_CASE("so is one whose write was under way when the peer went") {
  constexpr std::size_t kMax = 64 * 1024;
  Pair pair({.read_buffer_bytes = 1024, .read_buffer_max = kMax});
  pair.server.consumes = false;
  pair.client.connection->PauseReading();
  pair.client.connection->Write(std::string(4 * kMax, 'x'));
  RunUntil(pair.loop, [&] { return pair.server.connection->received().size() == kMax; });
  pair.server.connection->Write(std::string(32 << 20, 'y'));
  REQUIRE(pair.server.connection->unsent_bytes() > 0);
  pair.client.connection->Abort();
  RunUntil(pair.loop, [&] { return pair.server.failures == 1; });
}

TEST_CASE("a quiet connection has nothing to read and no end") {
  Pair pair;
  CHECK(pair.client.connection->quiet());
  pair.client.connection->PauseReading();
  pair.server.connection->Write("x");
  RunBriefly(pair.loop);
  CHECK_FALSE(pair.client.connection->quiet());
  pair.client.connection->ResumeReading();
  RunUntil(pair.loop, [&] { return pair.client.bytes == "x"; });
  CHECK(pair.client.connection->quiet());
  pair.server.connection->EndWriting();
  RunUntil(pair.loop, [&] { return pair.client.ended; });
  CHECK_FALSE(pair.client.connection->quiet());
}

TEST_CASE("a refused connection and a missing Unix socket fail on a later turn") {
  EventLoop loop;
  // Bound and not listening: no other program gets the port.
  int taken = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(taken, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  for (const std::string& text : {"127.0.0.1:" + port, std::string("unix:/nowhere/at/all.sock")}) {
    CAPTURE(text);
    End end;
    end.connection = Connection::Connect(loop, *SocketAddress::FromLiteral(*Endpoint::Parse(text)),
                                         seconds(5), end, {});
    CHECK(end.failures == 0);
    RunUntil(loop, [&] { return end.failures == 1; });
    CHECK(end.error.code == ErrorCode::kUnavailable);
    CHECK(end.error.detail.find(text) != std::string::npos);
    CHECK_FALSE(end.connected);
  }
  close(taken);
}

TEST_CASE("a connect that nobody answers ends with its timeout") {
  // A listening socket whose queue is full drops further SYNs.
  EventLoop loop;
  const int full = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(full, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(full, 0) == 0);
  REQUIRE(getsockname(full, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const auto to = SocketAddress::FromLiteral(
      *Endpoint::Parse("127.0.0.1:" + std::to_string(ntohs(address.sin_port))));
  std::vector<std::unique_ptr<End>> ends;
  for (int i = 0; i < 4; ++i) {
    ends.push_back(std::make_unique<End>());
    ends.back()->connection = Connection::Connect(loop, *to, milliseconds(200), *ends.back(), {});
  }
  RunUntil(loop, [&] { return ends.back()->failures == 1; });
  CHECK(ends.back()->error.code == ErrorCode::kTimeout);
  close(full);
}

}  // namespace
}  // namespace idem::event
