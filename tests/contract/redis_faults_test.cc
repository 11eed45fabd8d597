// Calls to Redis when the connection or the server fails.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proxy/base/random.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/resolver.h"
#include "proxy/store/redis/redis_store.h"
#include "tests/contract/redis_fixture.h"
#include "tests/contract/samples.h"
#include "tests/contract/store_caller.h"
#include "tests/support/redis_client.h"
#include "tests/support/redis_server.h"
#include "tests/support/relay.h"
#include "tests/support/run_loop.h"

namespace idem::store {
namespace {

using ports::BeginResult;
using ports::ReadResult;
using ports::TransitionResult;
using Settings = support::RedisServer::Settings;
using std::chrono::milliseconds;

idempotency::Claim ClaimOf(std::uint8_t number) {
  idempotency::Claim claim;
  claim.token.bytes.back() = number;
  claim.recipe = "1:raw::";
  claim.lease = std::chrono::minutes(1);
  claim.unknown_ttl = std::chrono::hours(1);
  claim.route = "orders";
  return claim;
}

/// A store on its own loop, called in sequence.
class Asker {
 public:
  explicit Asker(const StoreOptions& options) {
    auto store = RedisStore::Open(loop_, resolver_, random_, options, false);
    REQUIRE(store.has_value());
    store_ = std::move(*store);
  }

  Result<BeginResult> Begin(std::string_view key, std::uint8_t number) {
    std::optional<Result<BeginResult>> answer;
    const Ticket ticket = store_->Begin(
        {.record_key = std::string(key), .claim = ClaimOf(number), .replaces = {}, .limit = {}},
        [&](Result<BeginResult> result) { answer.emplace(std::move(result)); });
    CHECK_FALSE(answer);  // never inside the call
    support::RunUntil(loop_, [&] { return answer.has_value(); });
    return std::move(*answer);
  }
  Result<TransitionResult> Complete(std::string_view key, std::uint8_t number, std::string body) {
    std::optional<Result<TransitionResult>> answer;
    idempotency::StoredResponse response;
    response.status = 200;
    response.body = std::move(body);
    const Ticket ticket = store_->Apply(
        contract::Completion(key, ClaimOf(number), std::move(response), std::chrono::hours(1)),
        [&](Result<TransitionResult> result) { answer.emplace(std::move(result)); });
    support::RunUntil(loop_, [&] { return answer.has_value(); });
    return std::move(*answer);
  }
  Result<ReadResult> Read(std::string_view key) {
    std::optional<Result<ReadResult>> answer;
    const Ticket ticket =
        store_->Read(key, [&](Result<ReadResult> result) { answer.emplace(std::move(result)); });
    support::RunUntil(loop_, [&] { return answer.has_value(); });
    return std::move(*answer);
  }
  Status WhenTried() {
    std::optional<Status> answer;
    const Ticket ticket =
        store_->WhenTried([&](Status status) { answer.emplace(std::move(status)); });
    support::RunUntil(loop_, [&] { return answer.has_value(); });
    return std::move(*answer);
  }
  void AwaitReady() {
    support::RunUntil(loop_, [&] { return !store_->unavailable_reason(); });
  }
  void AwaitNotReady() {
    support::RunUntil(loop_, [&] { return store_->unavailable_reason().has_value(); });
  }
  [[nodiscard]] std::string why_not_ready() const {
    return store_->unavailable_reason().value_or("");
  }
  event::EventLoop& loop() { return loop_; }
  RedisStore& store() { return *store_; }

 private:
  event::EventLoop loop_;
  event::Resolver resolver_;
  SystemRandom random_;
  std::unique_ptr<RedisStore> store_;
};

StoreOptions OptionsFor(std::uint16_t port, milliseconds timeout = std::chrono::seconds(20)) {
  StoreOptions options;
  options.url = "redis://127.0.0.1:" + std::to_string(port);
  options.timeout = timeout;
  return options;
}

bool IsClaimed(const Result<BeginResult>& answer) {
  if (!answer) MESSAGE(answer.error().detail);
  return answer.has_value() && answer->kind == BeginResult::Kind::kClaimed;
}

bool Holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("redis: a question asked while the first connection is under way waits for it") {
  const support::RedisServer server;
  Asker asker(OptionsFor(server.port()));
  CHECK(asker.why_not_ready() ==
        "Redis at 127.0.0.1:" + std::to_string(server.port()) + " is not connected yet");
  CHECK(IsClaimed(asker.Begin("k", 1)));
  CHECK(asker.why_not_ready().empty());
  CHECK(asker.WhenTried().has_value());
}

TEST_CASE(
    "redis: a response cut in the middle is an error, and the store is asked again in order") {
  const support::RedisServer server;
  support::Relay relay(server.port());
  Asker asker(OptionsFor(relay.port()));
  REQUIRE(IsClaimed(asker.Begin("k", 1)));
  REQUIRE(asker.Complete("k", 1, std::string(300000, 'x')).has_value());
  relay.CutAfterReply(1000);
  const auto cut = asker.Begin("k", 2);
  REQUIRE_FALSE(cut.has_value());
  CHECK(cut.error().code == ErrorCode::kUnavailable);
  asker.AwaitReady();
  const auto again = asker.Begin("k", 2);
  REQUIRE(again.has_value());
  REQUIRE(again->kind == BeginResult::Kind::kHeld);
  CHECK(again->record->response->body == std::string(300000, 'x'));
}

TEST_CASE("redis: a stalled connection is a timeout, and its late replies answer nothing else") {
  const support::RedisServer server;
  support::Relay relay(server.port());
  Asker asker(OptionsFor(relay.port(), milliseconds(500)));
  asker.AwaitReady();
  REQUIRE(IsClaimed(asker.Begin("k", 1)));
  relay.Stall();
  const auto late = asker.Begin("late", 1);
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code == ErrorCode::kTimeout);
  CHECK(Holds(asker.why_not_ready(), "does not answer"));
  relay.Resume();
  asker.AwaitReady();
  const auto held = asker.Begin("k", 2);
  REQUIRE(held.has_value());
  CHECK(held->kind == BeginResult::Kind::kHeld);
  CHECK(relay.connections_made() == 1);
}

TEST_CASE("redis: a connection that swallows everything is given up for a new one") {
  const support::RedisServer server;
  support::Relay relay(server.port());
  Asker asker(OptionsFor(relay.port(), milliseconds(200)));
  asker.AwaitReady();
  relay.Blackhole();
  CHECK_FALSE(asker.Begin("k", 1).has_value());
  support::RunUntil(asker.loop(), [&] { return relay.connections_made() > 1; });
  relay.Resume();
  relay.Cut();
  asker.AwaitReady();
  CHECK(IsClaimed(asker.Begin("k", 1)));
}

TEST_CASE("redis: while the server is away questions fail at once, and it is found again") {
  support::RedisServer server;
  Asker asker(OptionsFor(server.port()));
  REQUIRE(IsClaimed(asker.Begin("k", 1)));
  server.Kill();
  asker.AwaitNotReady();
  const auto away = asker.Begin("k", 1);
  REQUIRE_FALSE(away.has_value());
  CHECK(away.error().code == ErrorCode::kUnavailable);
  CHECK(Holds(asker.why_not_ready(), "Redis at 127.0.0.1:"));
  server.Start();  // empty, and without our scripts
  asker.AwaitReady();
  CHECK(IsClaimed(asker.Begin("k", 1)));
}

TEST_CASE("redis: scripts that the server lost are loaded again and the question is answered") {
  const support::RedisServer server;
  Asker asker(OptionsFor(server.port()));
  REQUIRE(IsClaimed(asker.Begin("k", 1)));
  support::RedisClient(server.port()).Ask({"SCRIPT", "FLUSH"});
  std::vector<Ticket> tickets;
  int claimed = 0;
  for (std::uint8_t i = 0; i < 50; ++i) {
    tickets.push_back(asker.store().Begin(
        {.record_key = "n" + std::to_string(i), .claim = ClaimOf(i), .replaces = {}, .limit = {}},
        [&](Result<BeginResult> answer) { claimed += IsClaimed(answer) ? 1 : 0; }));
  }
  support::RunUntil(asker.loop(), [&] { return claimed == 50; });
}

TEST_CASE("redis: a wrong password is one line that does not repeat it") {
  const support::RedisServer server(Settings{{"requirepass", "right"}});
  StoreOptions options = OptionsFor(server.port(), milliseconds(300));
  const std::string at = "127.0.0.1:" + std::to_string(server.port());
  options.url = "redis://:TOPSECRET@" + at;
  Asker wrong(options);
  const Status refused = wrong.WhenTried();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::kRefused);
  CHECK(refused.error().detail ==
        "Redis at " + at + " refuses the user or the password of store.url (WRONGPASS)");
  CHECK(wrong.Begin("k", 1).error().detail == refused.error().detail);

  options.url = "redis://:right@" + at + "/3";
  Asker right(options);
  CHECK(right.WhenTried().has_value());
  CHECK(IsClaimed(right.Begin("k", 1)));

  options.url = "redis://" + at;
  Asker none(options);
  CHECK(Holds(none.WhenTried().error().detail, "asks for a password"));
}

TEST_CASE("redis: a server that may forget is refused where durability is required") {
  const support::RedisServer forgetful(Settings{{"maxmemory-policy", "allkeys-lru"}});
  StoreOptions options = OptionsFor(forgetful.port(), milliseconds(300));
  Asker content(options);
  CHECK(content.WhenTried().has_value());
  options.require_durable = true;
  Asker strict(options);
  const Status refused = strict.WhenTried();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::kRefused);
  CHECK(Holds(refused.error().detail, "allkeys-lru"));
  CHECK(Holds(refused.error().detail, "append-only"));
  CHECK(strict.why_not_ready() == refused.error().detail);

  const support::RedisServer durable(Settings{{"appendonly", "yes"}, {"appendfsync", "always"}});
  options.url = durable.url();
  Asker satisfied(options);
  CHECK(satisfied.WhenTried().has_value());
  CHECK(IsClaimed(satisfied.Begin("k", 1)));
}

TEST_CASE("redis: a cluster is refused") {
  const support::RedisServer cluster(Settings{{"cluster-enabled", "yes"}});
  Asker asker(OptionsFor(cluster.port()));
  CHECK(Holds(asker.WhenTried().error().detail, "is a cluster, which is not supported yet"));
}

TEST_CASE("redis: a replica takes no claims, and one that was promoted does") {
  const support::RedisServer primary;
  const support::RedisServer replica(
      Settings{{"replicaof", "127.0.0.1 " + std::to_string(primary.port())}});
  Asker asker(OptionsFor(replica.port(), milliseconds(300)));
  CHECK(Holds(asker.WhenTried().error().detail, "is a replica and takes no writes"));
  CHECK_FALSE(asker.Begin("k", 1).has_value());
  support::RedisClient(replica.port()).Ask({"REPLICAOF", "NO", "ONE"});
  asker.AwaitReady();
  CHECK(IsClaimed(asker.Begin("k", 1)));
}

TEST_CASE("redis: a server that became a replica is left for the one its name leads to") {
  const support::RedisServer primary;
  const support::RedisServer other;
  Asker asker(OptionsFor(primary.port()));
  REQUIRE(IsClaimed(asker.Begin("k", 1)));
  support::RedisClient(primary.port())
      .Ask({"REPLICAOF", "127.0.0.1", std::to_string(other.port())});
  const auto refused = asker.Begin("k2", 1);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::kRefused);
  asker.AwaitNotReady();
  CHECK(Holds(asker.why_not_ready(), "is a replica"));
}

TEST_CASE("redis: a full server says so, and keeps serving what it holds") {
  const support::RedisServer server;
  Asker asker(OptionsFor(server.port()));
  REQUIRE(IsClaimed(asker.Begin("k", 1)));
  support::RedisClient(server.port()).Ask({"CONFIG", "SET", "maxmemory", "1"});
  const auto refused = asker.Begin("k2", 2);
  REQUIRE_FALSE(refused.has_value());
  CHECK(Holds(refused.error().detail, "has no memory left; raise its maxmemory (OOM)"));
  const auto looked = asker.Read("k");
  REQUIRE(looked.has_value());
  CHECK(looked->record.has_value());
}

TEST_CASE("redis: a claim counts once as many replicas have it as are asked for") {
  const support::RedisServer primary(Settings{{"repl-diskless-sync-delay", "0"}});
  StoreOptions options = OptionsFor(primary.port(), milliseconds(500));
  options.wait_replicas = 1;
  Asker asker(options);
  asker.AwaitReady();
  const auto alone = asker.Begin("k", 1);
  REQUIRE_FALSE(alone.has_value());
  CHECK(Holds(alone.error().detail, "has the write on 0 replicas of the 1 that are asked for"));

  const support::RedisServer replica(
      Settings{{"replicaof", "127.0.0.1 " + std::to_string(primary.port())}});
  std::optional<Result<BeginResult>> claimed;
  support::RunUntil(asker.loop(), [&, ticket = Ticket()]() mutable {
    if (!ticket.open() && (!claimed || !*claimed)) {
      ticket = asker.store().Begin(
          {.record_key = "k", .claim = ClaimOf(1), .replaces = {}, .limit = {}},
          [&](Result<BeginResult> answer) { claimed.emplace(std::move(answer)); });
    }
    return claimed && claimed->has_value();
  });
  CHECK(claimed->value().kind == BeginResult::Kind::kClaimed);
  CHECK(support::RedisClient(replica.port()).Ask({"GET", "idemp:k"}).starts_with("idemproxy/1 "));
  CHECK(asker.Read("k").has_value());
}

TEST_CASE("redis: what is asked in one turn leaves in one write and is answered in its order") {
  const support::RedisServer server;
  Asker asker(OptionsFor(server.port()));
  asker.AwaitReady();
  std::vector<int> order;
  std::vector<Ticket> tickets;
  for (int i = 0; i < 1000; ++i) {
    tickets.push_back(
        asker.store().Read(std::to_string(i), [&order, i](const Result<ReadResult>& answer) {
          CHECK(answer.has_value());
          order.push_back(i);
        }));
  }
  for (std::size_t i = 1; i < tickets.size(); i += 2)
    tickets[i] = {};  // half of the callers withdraw
  support::RunUntil(asker.loop(), [&] { return order.size() == 500; });
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("redis: more than a connection may hold is refused at once") {
  const support::RedisServer server;
  support::Relay relay(server.port());
  Asker asker(OptionsFor(relay.port()));
  asker.AwaitReady();
  relay.Stall();
  int refused = 0;
  std::vector<Ticket> tickets;
  for (int i = 0; i < 16 * 1024 + 10; ++i) {
    tickets.push_back(asker.store().Read("k", [&](const Result<ReadResult>& answer) {
      if (!answer) refused += Holds(answer.error().detail, "too many questions") ? 1 : 1000;
    }));
  }
  support::RunUntil(asker.loop(), [&] { return refused == 10; });
}

TEST_CASE("redis: a list goes on behind a record that cannot be read") {
  const support::RedisServer server;
  contract::RedisFixture fixture(OptionsFor(server.port()));
  contract::Caller caller(fixture);
  for (const char* key : {"a", "broken", "c"}) caller.Begin(key, contract::NewClaim());
  support::RedisClient(server.port())
      .Ask({"SET", "idemp:broken", "idemproxy/1 executing 00 1 1 1 ?"});
  std::set<std::string> keys;
  for (const auto& found : caller.List({})) keys.insert(found.record_key);
  CHECK(keys == std::set<std::string>{"a", "c"});
}

}  // namespace idem::store
