#include "proxy/event/listener.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "proxy/event/connection.h"
#include "tests/support/run_loop.h"

namespace idem::event {
namespace {

using support::RunUntil;

struct Silent final : ConnectionEvents {
  void OnConnected() override { connected = true; }
  void OnData() override {}
  void OnEnd() override {}
  void OnFailure(const Error&) override { failed = true; }
  bool connected = false;
  bool failed = false;
};

std::unique_ptr<Connection> ConnectTo(EventLoop& loop, const Endpoint& endpoint,
                                      ConnectionEvents& events) {
  return Connection::Connect(loop, *SocketAddress::FromLiteral(endpoint), std::chrono::seconds(5),
                             events, {});
}

TEST_CASE("accepted sockets come with their peer's address, over IPv4 and IPv6") {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    CAPTURE(text);
    EventLoop loop;
    std::string peer;
    auto listener =
        Listener::Listen(loop, *Endpoint::Parse(text), [&](int socket, const SocketAddress& from) {
          peer = from.host_text();
          close(socket);
        });
    REQUIRE(listener.has_value());
    CHECK((*listener)->bound().port != 0);
    Silent client;
    const auto connection = ConnectTo(loop, (*listener)->bound(), client);
    RunUntil(loop, [&] { return !peer.empty(); });
    CHECK(peer == Endpoint::Parse(text)->host);
  }
}

TEST_CASE("workers share an address, a second process gets the error that it is busy") {
  EventLoop loop;
  const auto ignore = [](int socket, const SocketAddress&) { close(socket); };
  auto first = Listener::Listen(loop, *Endpoint::Parse("127.0.0.1:0"), ignore);
  REQUIRE(first.has_value());
  const Endpoint bound = (*first)->bound();
  const auto busy = Listener::CheckFree(bound);
  REQUIRE_FALSE(busy.has_value());
  CHECK(busy.error().detail.find(bound.ToText()) != std::string::npos);
  CHECK(busy.error().detail.find("in use") != std::string::npos);
  auto second = Listener::Listen(loop, bound, ignore);
  CHECK(second.has_value());
  *first = nullptr;
  *second = nullptr;
  CHECK(Listener::CheckFree(bound).has_value());
}

TEST_CASE("a Unix socket is refused while somebody listens, replaced when left over, and removed") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("idem-listener-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const Endpoint endpoint = *Endpoint::Parse("unix:" + (folder / "s").string());
  EventLoop loop;
  int accepted = 0;
  const auto count = [&accepted](int socket, const SocketAddress& peer) {
    CHECK(peer.host_text() == "unix");
    ++accepted;
    close(socket);
  };
  {
    auto left_over = Listener::Listen(loop, endpoint, count);
    REQUIRE(left_over.has_value());
    CHECK_FALSE(Listener::Listen(loop, endpoint, count).has_value());
    std::filesystem::rename(folder / "s", folder / "t");  // so that it is not removed
  }
  std::filesystem::rename(folder / "t", folder / "s");
  {
    auto listener = Listener::Listen(loop, endpoint, count);
    REQUIRE(listener.has_value());
    Silent client;
    const auto connection = ConnectTo(loop, endpoint, client);
    RunUntil(loop, [&] { return client.connected && accepted >= 1; });
  }
  CHECK_FALSE(std::filesystem::exists(folder / "s"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("a name, an address of another machine and a file in the way are errors that say so") {
  EventLoop loop;
  for (const char* text : {"localhost:0", "192.0.2.1:0", "unix:/dev/null", "unix:/nowhere/s"}) {
    CAPTURE(text);
    const auto listener =
        Listener::Listen(loop, *Endpoint::Parse(text), [](int, const SocketAddress&) {});
    REQUIRE_FALSE(listener.has_value());
    CHECK(listener.error().detail.find(text) != std::string::npos);
  }
}

TEST_CASE("without descriptors accepting pauses, and goes on when there are some again") {
  EventLoop loop;
  int accepted = 0;
  auto listener = Listener::Listen(loop, *Endpoint::Parse("127.0.0.1:0"),
                                   [&](int socket, const SocketAddress&) {
                                     ++accepted;
                                     close(socket);
                                   });
  REQUIRE(listener.has_value());
  Silent client;
  const auto connection = ConnectTo(loop, (*listener)->bound(), client);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 3;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  RunUntil(loop, [&] { return client.connected; });
  CHECK(accepted == 0);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  RunUntil(loop, [&] { return accepted == 1; });
}

}  // namespace
}  // namespace idem::event
