#include "proxy/event/tls.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <malloc.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "proxy/event/connection.h"
#include "proxy/event/listener.h"
#include "tests/support/run_loop.h"
#include "tests/support/test_certificates.h"

namespace idem::event {
namespace {

using std::chrono::seconds;
using support::RunBriefly;
using support::RunUntil;

const support::TestCertificates& Certificates() {
  static const support::TestCertificates kCertificates;
  return kCertificates;
}

struct End final : ConnectionEvents {
  void OnConnected() override { connected = true; }
  void OnData() override {
    if (!consumes) return;
    bytes += connection->received();
    connection->Consume(connection->received().size());
    if (destroy_in_data) connection.reset();
  }
  void OnEnd() override { ended = true; }
  void OnDrained() override { ++drained; }
  void OnFailure(const Error& failure) override {
    ++failures;
    error = failure;
  }

  std::unique_ptr<Connection> connection;
  bool connected = false;
  bool ended = false;
  bool consumes = true;
  bool destroy_in_data = false;
  int drained = 0;
  int failures = 0;
  Error error;
  std::string bytes;
};

struct Setup {
  std::string certificate = Certificates().server();
  std::string client_ca = {};
  TlsClientOptions client = {.ca = Certificates().ca(), .certificate = {}, .key = {}};
  std::string server_name = "localhost";
};

/// A TLS client and a TLS server whose handshake has begun.
struct Pair {
  explicit Pair(const Setup& setup = {}, bool tls_client = true) {
    auto server_context = TlsContext::ForServer({.certificate = setup.certificate,
                                                 .key = Certificates().key(),
                                                 .client_ca = setup.client_ca});
    auto client_context = TlsContext::ForClient(setup.client);
    REQUIRE(server_context.has_value());
    REQUIRE(client_context.has_value());
    auto listening = Listener::Listen(
        loop, *Endpoint::Parse("127.0.0.1:0"), [&](int socket, const SocketAddress&) {
          server.connection =
              Connection::AcceptedTls(loop, socket, **server_context, seconds(10), server, {});
        });
    REQUIRE(listening.has_value());
    const auto address = *SocketAddress::FromLiteral((*listening)->bound());
    client.connection = tls_client
                            ? Connection::ConnectTls(loop, address, **client_context,
                                                     setup.server_name, seconds(10), client, {})
                            : Connection::Connect(loop, address, seconds(10), client, {});
    RunUntil(loop, [&] {
      return (client.connected || client.failures > 0) && server.connection != nullptr;
    });
  }
  EventLoop loop;
  End client, server;
};

TEST_CASE("bytes go both ways over TLS, and an orderly end is reported as one") {
  Pair pair;
  REQUIRE(pair.client.connected);
  CHECK(pair.client.connection->peer_subject() == "CN=localhost");
  CHECK(pair.client.connection->Write("hello ", "world"));
  RunUntil(pair.loop, [&] { return pair.server.bytes == "hello world"; });
  CHECK(pair.server.connection->peer_subject().empty());
  CHECK(pair.server.connection->Write("back"));
  RunUntil(pair.loop, [&] { return pair.client.bytes == "back"; });
  RunBriefly(pair.loop);
  CHECK(pair.client.connection->quiet());
  pair.client.connection->EndWriting();
  RunUntil(pair.loop, [&] { return pair.server.ended; });
  CHECK(pair.server.connection->Write("still here"));
  RunUntil(pair.loop, [&] { return pair.client.bytes == "backstill here"; });
  pair.server.connection.reset();
  RunUntil(pair.loop, [&] { return pair.client.ended; });
  CHECK(pair.client.failures + pair.server.failures == 0);
}

TEST_CASE("much data arrives whole through a reader that pauses, and one that keeps it for later") {
  Pair pair;
  std::string sent(12 << 20, 'x');
  for (std::size_t i = 0; i < sent.size(); i += 997) sent[i] = static_cast<char>('a' + i % 26);
  pair.server.consumes = false;
  CHECK(pair.client.connection->Write(sent));
  CHECK(pair.client.connection->unsent_bytes() > 0);
  std::size_t most = 0;
  std::string got;
  int turn = 0;
  RunUntil(pair.loop, [&] {
    if (++turn % 3 == 0) pair.server.connection->PauseReading();
    const auto received = pair.server.connection->received();
    most = std::max(most, received.size());
    const auto some = received.substr(0, 100'003);
    got += some;
    pair.server.connection->Consume(some.size());
    if (turn % 3 == 2) pair.server.connection->ResumeReading();
    return got.size() >= sent.size();
  });
  CHECK((got == sent));  // not printed
  CHECK(most <= 300 * 1024);
  RunUntil(pair.loop, [&] { return pair.client.drained > 0; });
}

TEST_CASE("an owner who has paused reading still gets the error of a failed write") {
  constexpr std::size_t kMax = Connection::Options().read_buffer_max;
  for (const bool first_full : {true, false}) {
    CAPTURE(first_full);
    Pair pair;
    pair.server.consumes = false;
    pair.client.connection->Write(std::string(4 * kMax, 'x'));
    const auto full = [&] { return pair.server.connection->received().size() == kMax; };
    RunUntil(pair.loop, [&] { return full() || !first_full; });
    pair.client.connection->Abort();
    RunUntil(pair.loop, [&] { return !pair.server.connection->Write("x"); });
    RunUntil(pair.loop, [&] { return pair.server.failures == 1; });
  }
}

TEST_CASE("so is one whose write was under way when the peer went") {
  constexpr std::size_t kMax = Connection::Options().read_buffer_max;
  Pair pair;
  pair.server.consumes = false;
  pair.client.connection->Write(std::string(4 * kMax, 'x'));
  RunUntil(pair.loop, [&] { return pair.server.connection->received().size() == kMax; });
  pair.client.connection->PauseReading();
  pair.server.connection->Write(std::string(32 << 20, 'y'));
  REQUIRE(pair.server.connection->unsent_bytes() > 0);
  pair.client.connection->Abort();
  RunUntil(pair.loop, [&] { return pair.server.failures == 1; });
}

/// Returns this process's use of the heap. It is always 0 with a sanitizer, which has its own heap.
std::size_t HeapBytes() {
  const auto heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

TEST_CASE("an idle TLS connection holds no memory of the long messages before") {
  Pair pair;
  const auto exchange = [&](const std::string& text) {
    const std::size_t cut = text.size() / 2;
    CHECK(pair.client.connection->Write(text));
    RunUntil(pair.loop, [&] { return pair.server.bytes.size() == text.size(); });
    CHECK(pair.server.connection->Write(text.substr(0, cut), text.substr(cut)));
    RunUntil(pair.loop, [&] { return pair.client.bytes.size() == text.size(); });
    RunBriefly(pair.loop);
    std::string().swap(pair.server.bytes);
    std::string().swap(pair.client.bytes);
  };
  exchange("short");
  const std::size_t before = HeapBytes();
  exchange(std::string(1 << 20, 'l'));
  exchange(std::string(60'000, 'j'));
  CHECK(HeapBytes() < before + 64 * 1024);
}

// A peer on a plain connection that sends what our own TLS code never does.
struct RawTls {
  explicit RawTls(Pair& of) : pair(of) {
    SSL_set_bio(ssl.get(), in, out);
    SSL_set_connect_state(ssl.get());
    RunUntil(pair.loop, [this] {
      Pump();
      return SSL_do_handshake(ssl.get()) == 1;
    });
    Say("hello");
    RunUntil(pair.loop, [this] { return pair.server.bytes == "hello"; });
    pair.server.bytes.clear();
  }
  void Say(std::string_view text) {
    CHECK(SSL_write(ssl.get(), text.data(), static_cast<int>(text.size())) > 0);
    Pump();
  }
  void Pump() {
    BIO_write(in, pair.client.bytes.data(), static_cast<int>(pair.client.bytes.size()));
    pair.client.bytes.clear();
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out, &bytes);
    if (size > 0) pair.client.connection->Write({bytes, static_cast<std::size_t>(size)});
    BIO_reset(out);
  }
  void AskForKeyUpdate() {
    CHECK(SSL_key_update(ssl.get(), SSL_KEY_UPDATE_REQUESTED) == 1);
    SSL_do_handshake(ssl.get());
    Pump();
  }
  [[nodiscard]] bool SeesEnd() {
    Pump();
    char byte = 0;
    const int got = SSL_read(ssl.get(), &byte, 1);
    return got <= 0 && SSL_get_error(ssl.get(), got) == SSL_ERROR_ZERO_RETURN;
  }

  Pair& pair;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_client_method()),
                                                       SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> ssl{SSL_new(context.get()), SSL_free};
  BIO* in = BIO_new(BIO_s_mem());  // the SSL owns both
  BIO* out = BIO_new(BIO_s_mem());
};

TEST_CASE("behind its close_notify a connection answers no key update, and lives") {
  Pair pair({}, false);
  RawTls peer(pair);
  pair.server.connection->EndWriting();
  RunUntil(pair.loop, [&] { return peer.SeesEnd(); });
  for (int i = 0; i < 3; ++i) peer.AskForKeyUpdate();
  peer.Say("still here");
  RunUntil(pair.loop, [&] { return pair.server.bytes == "still here"; });
  CHECK(pair.server.failures == 0);
}

TEST_CASE("what a peer sends behind its close_notify is dropped, and it is still answered") {
  Pair pair({}, false);
  RawTls peer(pair);
  SSL_shutdown(peer.ssl.get());
  peer.Pump();
  RunUntil(pair.loop, [&] { return pair.server.ended; });
  const std::string more(1 << 20, 'm');
  const std::size_t before = HeapBytes();
  for (int i = 0; i < 32; ++i) {
    pair.client.connection->Write(more);
    RunUntil(pair.loop, [&] { return pair.client.connection->unsent_bytes() == 0; });
  }
  RunBriefly(pair.loop);
  CHECK(HeapBytes() < before + more.size());
  CHECK(pair.server.bytes.empty());
  CHECK(pair.server.failures == 0);
  CHECK(pair.server.connection->Write("the answer"));
  std::string answer;
  RunUntil(pair.loop, [&] {
    char byte = 0;
    peer.Pump();
    if (SSL_read(peer.ssl.get(), &byte, 1) == 1) answer += byte;
    return answer == "the answer";
  });
}

TEST_CASE("a peer that asks for key updates without end is cut") {
  Pair pair({}, false);
  RawTls peer(pair);
  for (int i = 0; i < 4000; ++i) peer.AskForKeyUpdate();
  RunUntil(pair.loop, [&] { return pair.server.failures == 1; });
  CHECK(pair.server.error.detail.find("key updates") != std::string::npos);
}

/// Reads a little of one client's TLS data, and resets the connection.
class HastyPeer {
 public:
  HastyPeer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&own), size) == 0);
    REQUIRE(listen(listener_, 1) == 0);
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size) == 0);
    address_ = *Endpoint::Parse("127.0.0.1:" + std::to_string(ntohs(own.sin_port)));
    thread_ = std::thread([this] { Serve(); });
  }
  HastyPeer(const HastyPeer&) = delete;
  HastyPeer& operator=(const HastyPeer&) = delete;
  ~HastyPeer() { close(listener_); }

  [[nodiscard]] const Endpoint& address() const { return address_; }
  /// Returns whether it has finished.
  bool HasRead() {
    thread_.join();
    return has_read_;
  }

 private:
  void Serve() {
    const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_server_method()),
                                                               SSL_CTX_free};
    SSL_CTX_use_certificate_chain_file(context.get(), Certificates().server().c_str());
    SSL_CTX_use_PrivateKey_file(context.get(), Certificates().key().c_str(), SSL_FILETYPE_PEM);
    const std::unique_ptr<SSL, void (*)(SSL*)> ssl{SSL_new(context.get()), SSL_free};
    const int client = accept(listener_, nullptr, nullptr);
    SSL_set_fd(ssl.get(), client);
    char byte = 0;
    has_read_ = SSL_accept(ssl.get()) == 1 && SSL_read(ssl.get(), &byte, 1) == 1;
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(client);
  }

  const int listener_;
  Endpoint address_;
  bool has_read_ = false;
  std::thread thread_;
};

// A write that took nothing releases a claim. The reset is a race, so it is repeated often.
TEST_CASE("a write of which the peer has read a byte is never reported as one that did not begin") {
  const std::string body(16 << 20, 'b');
  const auto context =
      TlsContext::ForClient({.ca = Certificates().ca(), .certificate = {}, .key = {}});
  REQUIRE(context.has_value());
  for (int i = 0; i < 20; ++i) {
    HastyPeer peer;
    EventLoop loop;
    End client;
    client.connection = Connection::ConnectTls(loop, *SocketAddress::FromLiteral(peer.address()),
                                               **context, "localhost", seconds(10), client, {});
    RunUntil(loop, [&] { return client.connected; });
    const bool taken = client.connection->Write("head", body);
    if (peer.HasRead()) CHECK(taken);
    RunUntil(loop, [&] { return client.failures == 1; });
  }
}

TEST_CASE("a connection that ends without a close_notify was cut") {
  Pair pair;
  pair.client.connection->Write("x");
  RunUntil(pair.loop, [&] { return pair.server.bytes == "x"; });
  pair.server.connection->Abort();
  RunUntil(pair.loop, [&] { return pair.client.failures == 1; });
  CHECK_FALSE(pair.client.ended);
  CHECK_FALSE(pair.client.connection->Write("y"));
}

TEST_CASE(
    "a certificate that cannot be believed is refused before a byte of ours, with its reason") {
  struct Case {
    const char* what;
    Setup setup;
    const char* reason;
  };
  std::vector<Case> cases = {
      {"expired", {.certificate = Certificates().expired()}, "certificate has expired"},
      {"self-signed", {.certificate = Certificates().self_signed()}, "self-signed certificate"},
      {"another name", {.certificate = Certificates().other_name()}, "hostname mismatch"},
      {"another address", {.server_name = "127.0.0.2"}, "IP address mismatch"},
      {"unknown authority", {}, "certificate"},
  };
  cases.back().setup.client.ca = Certificates().self_signed();
  for (const Case& one : cases) {
    CAPTURE(one.what);
    Pair pair(one.setup);
    CHECK_FALSE(pair.client.connected);
    REQUIRE(pair.client.failures == 1);
    CHECK(pair.client.error.code == ErrorCode::kUnavailable);
    CHECK(pair.client.error.detail.find(one.reason) != std::string::npos);
    RunUntil(pair.loop, [&] { return pair.server.failures == 1; });
    CHECK(pair.server.bytes.empty());
  }
}

TEST_CASE("an address is a name too, and with verify off anybody may answer") {
  Setup by_address;
  by_address.server_name = "127.0.0.1";
  CHECK(Pair(by_address).client.connected);
  Setup absolute;
  absolute.server_name = "localhost.";
  CHECK(Pair(absolute).client.connected);
  Setup unverified;
  unverified.certificate = Certificates().self_signed();
  unverified.client.verify = false;
  unverified.server_name = "whoever.example";
  CHECK(Pair(unverified).client.connected);
}

TEST_CASE("with client_ca a client shows its certificate, or is refused") {
  Setup setup;
  setup.client_ca = Certificates().ca();
  Pair refused(setup);
  RunUntil(refused.loop, [&] { return refused.server.failures == 1; });
  CHECK(refused.server.error.detail.find("peer did not return a certificate") != std::string::npos);
  RunUntil(refused.loop, [&] { return refused.client.failures == 1; });

  setup.client.certificate = Certificates().client();
  setup.client.key = Certificates().key();
  Pair known(setup);
  known.client.connection->Write("x");
  RunUntil(known.loop, [&] { return known.server.bytes == "x"; });
  CHECK(known.server.connection->peer_subject() == "CN=shop,O=Tests");
}

TEST_CASE("an authority that another one has signed is believed alone, on either side") {
  Setup setup;
  setup.certificate = Certificates().of_branch();
  setup.client_ca = Certificates().branch_ca();
  setup.client = {.ca = Certificates().branch_ca(),
                  .certificate = Certificates().of_branch(),
                  .key = Certificates().key()};
  Pair known(setup);
  REQUIRE(known.client.connected);
  known.client.connection->Write("x");
  RunUntil(known.loop, [&] { return known.server.bytes == "x"; });

  setup.client.certificate = Certificates().client();  // signed by the authority above it
  Pair refused(setup);
  RunUntil(refused.loop, [&] { return refused.server.failures == 1; });
  CHECK(refused.server.error.detail.find("certificate: ") != std::string::npos);
}

TEST_CASE("a client that does not speak TLS is refused") {
  Pair pair({}, /*tls_client=*/false);
  pair.client.connection->Write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  RunUntil(pair.loop, [&] { return pair.server.failures == 1; });
  CHECK(pair.server.bytes.empty());
}

TEST_CASE("the owner may destroy a TLS connection inside its events") {
  Pair pair;
  pair.server.destroy_in_data = true;
  pair.client.connection->Write("x");
  RunUntil(pair.loop, [&] { return pair.server.connection == nullptr; });
  RunUntil(pair.loop, [&] { return pair.client.ended; });
}

TEST_CASE("files that cannot be used are named") {
  const auto missing = TlsContext::ForServer(
      {.certificate = "/nowhere/cert.pem", .key = Certificates().key(), .client_ca = {}});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().detail.find("/nowhere/cert.pem") != std::string::npos);
  const auto other_key = TlsContext::ForServer(
      {.certificate = Certificates().ca(), .key = Certificates().key(), .client_ca = {}});
  REQUIRE_FALSE(other_key.has_value());
  CHECK(other_key.error().detail.find(Certificates().key()) != std::string::npos);
  CHECK_FALSE(
      TlsContext::ForClient({.ca = "/nowhere/ca.pem", .certificate = {}, .key = {}}).has_value());
}

}  // namespace
}  // namespace idem::event
