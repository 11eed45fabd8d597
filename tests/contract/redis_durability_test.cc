// The durability of writes that Redis acknowledged: over a restart, and over the loss of a primary.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proxy/store/redis/redis_handshake.h"
#include "tests/contract/redis_fixture.h"
#include "tests/contract/samples.h"
#include "tests/contract/store_caller.h"
#include "tests/support/redis_client.h"
#include "tests/support/redis_server.h"
#include "tests/support/relay.h"
#include "tests/support/run_loop.h"

namespace idem::contract {

using idempotency::Claim;
using ports::BeginResult;
using ports::TransitionResult;
using std::chrono::milliseconds;
using support::RedisClient;
using support::RedisSentinel;
using support::RedisServer;

namespace {

constexpr int kKeys = 20;

store::StoreOptions OptionsFor(const std::string& url) {
  store::StoreOptions options;
  options.type = store::StoreType::kRedis;
  options.url = url;
  options.timeout = std::chrono::seconds(20);
  return options;
}

std::string KeyOf(int i) { return "k-" + std::to_string(i); }

Result<BeginResult> TryBegin(Caller& caller, const std::string& key, const Claim& claim) {
  return caller.Try<BeginResult>([&](auto on_answer) {
    return caller.records().Begin({key, claim, {}, {}}, std::move(on_answer));
  });
}

void AwaitReady(Caller& caller) {
  support::RunUntil(caller.loop(), [&] { return !caller.records().unavailable_reason(); });
}

/// Claims all keys and completes every second one. Each write is acknowledged.
void ClaimAndComplete(Caller& caller) {
  for (int i = 0; i < kKeys; ++i) {
    const Claim claim = NewClaim();
    REQUIRE(caller.Begin(KeyOf(i), claim).kind == BeginResult::Kind::kClaimed);
    if (i % 2 == 0) REQUIRE(caller.Complete(KeyOf(i), claim).kind == TransitionResult::Kind::kDone);
  }
}

/// Returns how many keys differ from their acknowledged state.
int LostOf(Caller& caller) {
  int lost = 0;
  for (int i = 0; i < kKeys; ++i) {
    const auto seen = caller.Read(KeyOf(i));
    const bool kept = seen.record && (seen.record->response != nullptr) == (i % 2 == 0);
    lost += kept ? 0 : 1;
  }
  return lost;
}

int LostInARestart(const RedisServer::Settings& settings) {
  RedisServer server(settings);
  RedisFixture fixture(OptionsFor(server.url()));
  Caller caller(fixture);
  ClaimAndComplete(caller);
  server.Kill();
  support::RunUntil(caller.loop(),
                    [&] { return caller.records().unavailable_reason().has_value(); });
  server.Start();
  AwaitReady(caller);
  return LostOf(caller);
}

/// Returns the warnings that a start logs about such a server.
std::vector<std::string> WarningsOf(const RedisServer::Settings& settings) {
  const RedisServer server(settings);
  store::RedisServerSettings facts;
  RedisClient client(server.port());
  facts.ReadInfo(client.Ask({"INFO"}));
  const std::string fsync = client.Ask({"CONFIG", "GET", "appendfsync"});  // (appendfsync always)
  facts.appendfsync = fsync.substr(13, fsync.size() - 14);
  return store::DurabilityRisks(facts);
}

void AwaitReplica(const RedisServer& primary) {
  RedisClient client(primary.port());
  while (client.Ask({"INFO", "replication"}).find("state=online") == std::string::npos) {
    std::this_thread::sleep_for(milliseconds(5));  // Redis has no event for it, so it is polled
  }
}

RedisServer::Settings ReplicaOf(std::uint16_t port) {
  return {{"replicaof", "127.0.0.1 " + std::to_string(port)}};
}

/// Claims keys while the only replica is cut off. Returns how many acknowledged claims are lost
/// when the replica is promoted.
int LostInAPromotion(std::uint32_t wait_replicas) {
  RedisServer primary(RedisServer::Settings{{"repl-diskless-sync-delay", "0"}});
  support::Relay relay(primary.port());
  const RedisServer replica(ReplicaOf(relay.port()));
  AwaitReplica(primary);
  store::StoreOptions options = OptionsFor(primary.url());
  options.wait_replicas = wait_replicas;
  options.timeout = milliseconds(400);
  RedisFixture fixture(options);
  Caller caller(fixture);
  relay.Stall();
  std::vector<std::string> acknowledged;
  for (int i = 0; i < 5; ++i) {
    const auto answer = TryBegin(caller, KeyOf(i), NewClaim());
    if (answer) acknowledged.push_back(KeyOf(i));
  }
  primary.Kill();
  RedisClient(replica.port()).Ask({"REPLICAOF", "NO", "ONE"});
  RedisFixture after(OptionsFor(replica.url()));
  Caller survivor(after);
  int lost = 0;
  for (const std::string& key : acknowledged) lost += survivor.Read(key).record ? 0 : 1;
  return lost;
}

}  // namespace

TEST_CASE("redis: with its file synced always, kill -9 forgets nothing that was acknowledged") {
  const RedisServer::Settings durable = {{"appendonly", "yes"}, {"appendfsync", "always"}};
  CHECK(LostInARestart(durable) == 0);
  CHECK(WarningsOf(durable).empty());
}

// Proves that the test above can fail.
TEST_CASE("redis: without its file a restart forgets all, and the start had warned of it") {
  CHECK(LostInARestart({}) == kKeys);
  const auto warnings = WarningsOf({});
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("append-only file") != std::string::npos);
}

TEST_CASE("redis: what no replica has is not acknowledged where one is waited for") {
  CHECK(LostInAPromotion(1) == 0);
}

// Proves that the test above can fail.
TEST_CASE("redis: what no replica has is lost in a promotion where none is waited for") {
  CHECK(LostInAPromotion(0) == 5);
}

TEST_CASE("redis: the primary is killed, the sentinel promotes its replica, and nothing is lost") {
  RedisServer primary(RedisServer::Settings{{"repl-diskless-sync-delay", "0"}});
  const RedisServer replica(ReplicaOf(primary.port()));
  AwaitReplica(primary);
  const RedisSentinel sentinel(primary.port(), milliseconds(500));
  const support::Relay nobody(1);
  store::StoreOptions options =
      OptionsFor("redis+sentinel://127.0.0.1:" + std::to_string(nobody.port()) +
                 ",127.0.0.1:" + std::to_string(sentinel.port()) + "/mymaster/0");
  options.wait_replicas = 1;
  RedisFixture fixture(options);
  Caller caller(fixture);
  ClaimAndComplete(caller);
  primary.Kill();
  support::RunUntil(caller.loop(),
                    [&] { return caller.records().unavailable_reason().has_value(); });
  AwaitReady(caller);
  CHECK(LostOf(caller) == 0);

  // No replica is left, so no new claim is acknowledged. Acknowledged outcomes are still returned.
  options.wait_replicas = 0;
  RedisFixture alone(options);
  Caller other(alone);
  const BeginResult replay = other.Begin(KeyOf(0), NewClaim());
  REQUIRE(replay.kind == BeginResult::Kind::kHeld);
  CHECK(IsSameResponse(*replay.record->response, NewResponse()));
  CHECK(other.Begin(KeyOf(1), NewClaim()).kind == BeginResult::Kind::kHeld);
  CHECK(other.Begin("new", NewClaim()).kind == BeginResult::Kind::kClaimed);
}

TEST_CASE("redis: a primary that became a replica is left for the one that the sentinel names") {
  const RedisServer primary(RedisServer::Settings{{"repl-diskless-sync-delay", "0"}});
  const RedisServer replica(ReplicaOf(primary.port()));
  AwaitReplica(primary);
  // It fails over only on command.
  const RedisSentinel sentinel(primary.port(), support::kPatience);
  store::StoreOptions options =
      OptionsFor("redis+sentinel://127.0.0.1:" + std::to_string(sentinel.port()) + "/mymaster");
  options.wait_replicas = 1;
  options.timeout = milliseconds(1000);
  RedisFixture fixture(options);
  Caller caller(fixture);
  // On a busy machine the replica may confirm too late. A repeated call changes nothing twice.
  const Claim before = NewClaim();
  while (!TryBegin(caller, "before", before)) std::this_thread::sleep_for(milliseconds(20));
  RedisClient decides(sentinel.port());
  while (decides.Ask({"SENTINEL", "FAILOVER", "mymaster"}) != "OK") {
    // The primary has no confirmation of the replica yet.
    std::this_thread::sleep_for(milliseconds(20));
  }
  const std::string promoted = "(127.0.0.1 " + std::to_string(replica.port()) + ")";
  while (decides.Ask({"SENTINEL", "get-master-addr-by-name", "mymaster"}) != promoted) {
    std::this_thread::sleep_for(milliseconds(20));
  }
  // The old primary, now without a replica, confirms nothing. It returns as the awaited replica.
  // The sentinel would do that too, in ten seconds.
  RedisClient(primary.port()).Ask({"REPLICAOF", "127.0.0.1", std::to_string(replica.port())});
  const Claim after = NewClaim();
  while (!TryBegin(caller, "after", after)) std::this_thread::sleep_for(milliseconds(20));
  CHECK(RedisClient(replica.port()).Ask({"EXISTS", "idemp:after"}) == "1");
  CHECK(caller.Read("before").record.has_value());
}

TEST_CASE("redis: sentinels without the master are logged in one line") {
  const RedisServer no_sentinel;
  store::StoreOptions options =
      OptionsFor("redis+sentinel://127.0.0.1:" + std::to_string(no_sentinel.port()) + "/mymaster");
  options.timeout = milliseconds(200);
  event::EventLoop loop;
  event::Resolver resolver;
  SystemRandom random;
  auto store = store::RedisStore::Open(loop, resolver, random, options, false);
  REQUIRE(store.has_value());
  std::optional<Status> tried;
  const Ticket ticket =
      (*store)->WhenTried([&](Status status) { tried.emplace(std::move(status)); });
  support::RunUntil(loop, [&] { return tried.has_value(); });
  REQUIRE_FALSE(tried->has_value());
  CHECK(tried->error().code == ErrorCode::kUnavailable);
  CHECK(tried->error().detail.find("is not found by any sentinel") != std::string::npos);
  CHECK(tried->error().detail.find("is it a sentinel?") != std::string::npos);
}

}  // namespace idem::contract
