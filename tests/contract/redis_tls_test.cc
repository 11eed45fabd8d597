// Redis over TLS (rediss://): the server's certificate must be for the host in the URL.
#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "tests/contract/redis_fixture.h"
#include "tests/contract/samples.h"
#include "tests/contract/store_caller.h"
#include "tests/support/process.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_loop.h"
#include "tests/support/test_certificates.h"

namespace idem::contract {

using support::RedisServer;

namespace {

/// Replaces the system's trusted authorities for this process.
class TrustOnly {
 public:
  explicit TrustOnly(const std::string& file) { setenv("SSL_CERT_FILE", file.c_str(), 1); }
  ~TrustOnly() { unsetenv("SSL_CERT_FILE"); }
  TrustOnly(const TrustOnly&) = delete;
  TrustOnly& operator=(const TrustOnly&) = delete;
};

RedisServer::Settings TlsSettings(const support::TestCertificates& files,
                                  const std::string& certificate, std::uint16_t port) {
  return {{"tls-port", std::to_string(port)},
          {"tls-cert-file", certificate},
          {"tls-key-file", files.key()},
          {"tls-auth-clients", "no"}};
}

store::StoreOptions OptionsFor(std::uint16_t port) {
  store::StoreOptions options;
  options.url = "rediss://127.0.0.1:" + std::to_string(port);
  options.timeout = std::chrono::seconds(20);
  return options;
}

}  // namespace

TEST_CASE("redis: over TLS a record is claimed and completed as without") {
  const support::TestCertificates files;
  const TrustOnly trust(files.ca());
  const std::uint16_t port = support::FreePort();
  const RedisServer server(TlsSettings(files, files.server(), port));
  RedisFixture fixture(OptionsFor(port));
  Caller caller(fixture);
  const idempotency::Claim claim = NewClaim();
  CHECK(caller.Begin("k", claim).kind == ports::BeginResult::Kind::kClaimed);
  const auto response = NewResponse(std::string(300000, 'x'));
  CHECK(caller.Complete("k", claim, response).kind == ports::TransitionResult::Kind::kDone);
  const auto replay = caller.Begin("k", NewClaim());
  REQUIRE(replay.record);
  CHECK(IsSameResponse(*replay.record->response, response));
}

TEST_CASE("redis: a server with a certificate for another name is not asked") {
  const support::TestCertificates files;
  const TrustOnly trust(files.ca());
  const std::uint16_t port = support::FreePort();
  const RedisServer server(TlsSettings(files, files.other_name(), port));
  event::EventLoop loop;
  event::Resolver resolver;
  SystemRandom random;
  auto store = store::RedisStore::Open(loop, resolver, random, OptionsFor(port), false);
  REQUIRE(store.has_value());
  std::optional<Status> tried;
  const Ticket ticket =
      (*store)->WhenTried([&](Status status) { tried.emplace(std::move(status)); });
  support::RunUntil(loop, [&] { return tried.has_value(); });
  REQUIRE_FALSE(tried->has_value());
  CAPTURE(tried->error().detail);
  CHECK(tried->error().detail.find("certificate") != std::string::npos);
}

}  // namespace idem::contract
