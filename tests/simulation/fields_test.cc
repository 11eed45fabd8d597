// The fields that pass in requests and responses, and the fields that only the proxy may set.
#include <doctest/doctest.h>

#include "tests/simulation/world.h"

namespace idem::simulation {

namespace {

using ports::UpstreamProblem;
using std::chrono::milliseconds;
using std::chrono::seconds;

exchange::RateLimitOptions TenAMinute() {
  exchange::RateLimitOptions options;
  options.rule = {.requests = 10, .per = std::chrono::minutes(1)};
  return options;
}

}  // namespace

TEST_CASE("a backend cannot say that its response is a replay, or is not recorded") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 201, "made",
                       {{"Idempotent-Replayed", "true"}, {"idempotency-status", "unrecorded"}});
  world.loop.Settle();
  CHECK(first->Field("Idempotent-Replayed") == "(absent)");
  CHECK(first->Field("Idempotency-Status") == "(absent)");
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->head.fields.Count("Idempotent-Replayed") == 1);
  CHECK(again->Field("Idempotency-Status") == "(absent)");
}

TEST_CASE("a large response cannot say it either") {
  auto policy = Legacy();
  policy.max_recorded_body = 2;
  World world(policy);
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::AnswerHead(world.call(0), 201, http::BodyLength::Known(9),
                           {{"Idempotent-Replayed", "true"}});
  world.loop.Settle();
  CHECK(first->heads == 1);
  CHECK(first->Field("Idempotent-Replayed") == "(absent)");
}

TEST_CASE("names of the proxy's own fields do not pass from a caller, in any spelling") {
  struct Row {
    const char* name;
    const char* value;
  };
  const Row rows[] = {
      {"X-Client-Id", "admin"},          {"x_client_id", "admin"},
      {"X_Forwarded_For", "10.0.0.1"},   {"X-Forwarded_Proto", "https"},
      {"X_Forwarded_Host", "evil.test"}, {"X_Request_Id", "mine"},
      {"Idempotency_Key", "other"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    World world;
    auto sent = world.proxy.Post("k-1", "{}", {{row.name, row.value}});
    world.loop.Settle();
    for (const http::FieldLine line : world.call(0).head.fields) {
      CAPTURE(line.name);
      CHECK(line.value != row.value);
      CHECK(line.name.find('_') == std::string_view::npos);
    }
  }
}

TEST_CASE("no hop-by-hop field passes, in either direction") {
  World world;
  auto sent = world.proxy.Post("k-1", "{}",
                               {{"Connection", "keep-alive, X-Private"},
                                {"X-Private", "1"},
                                {"Keep-Alive", "timeout=9"},
                                {"TE", "trailers"},
                                {"Upgrade", "h2c"},
                                {"Proxy-Authorization", "Basic YQ=="}});
  world.loop.Settle();
  for (const char* name :
       {"Connection", "X-Private", "Keep-Alive", "TE", "Upgrade", "Proxy-Authorization"}) {
    CAPTURE(name);
    CHECK(world.call(0).head.fields.Count(name) == 0);
  }
  FakeUpstream::Answer(
      world.call(0), 201, "made",
      {{"Connection", "X-Private"}, {"X-Private", "1"}, {"Keep-Alive", "5"}, {"X-Kept", "1"}});
  world.loop.Settle();
  auto again = world.proxy.Post("k-1", "{}");
  world.loop.Settle();
  CHECK(again->Field("X-Kept") == "1");
  for (const char* name : {"Connection", "X-Private", "Keep-Alive"}) {
    CAPTURE(name);
    CHECK(sent->Field(name) == "(absent)");
    CHECK(again->Field(name) == "(absent)");
  }
}

TEST_CASE("an OPTIONS says one hop less to the backend, and with none left is answered here") {
  struct Row {
    const char* method;
    const char* hops;
    const char* forwarded;  // null if it is not forwarded
  };
  const Row rows[] = {
      {"OPTIONS", "5", "4"},     {"OPTIONS", "1", "0"},
      {"OPTIONS", "0", nullptr}, {"OPTIONS", "000", nullptr},
      {"OPTIONS", "x", "x"},     {"GET", "0", "0"},
      {"OPTIONS", "0x", "0x"},   {"OPTIONS", "99999999999999999999", "4294967294"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.method);
    CAPTURE(row.hops);
    World world;
    auto sent = world.proxy.Post("", "", {{"Max-Forwards", row.hops}}, row.method);
    world.loop.Settle();
    REQUIRE(world.proxy.upstream->calls.size() == (row.forwarded == nullptr ? 0U : 1U));
    if (row.forwarded != nullptr) {
      CHECK(world.call(0).head.fields.Find("Max-Forwards") == row.forwarded);
    } else {
      CHECK(sent->head.status == 200);
      CHECK(sent->head.body.bytes == 0);
      CHECK(sent->Field("Content-Type") == "(absent)");
      CHECK(sent->body.empty());
    }
  }
}

TEST_CASE("a field that a scope or a limit goes by counts with all its lines") {
  auto policy = Legacy();
  policy.scope = {{idempotency::ScopeRule::Kind::kHeader, "x-tenant"}};
  auto limit = TenAMinute();
  limit.by = exchange::RateLimitOptions::By::kHeader;
  limit.header = "X-Tenant";
  World world;
  world.Limit(limit, policy);
  auto one = world.proxy.Post("k-1", "{}", {{"X-Tenant", "a"}});
  world.loop.Settle();
  const std::string subject = world.proxy.store.limited_subject;
  auto two = world.proxy.Post("k-1", "{}", {{"X-Tenant", "a"}, {"X-Tenant", "b"}});
  world.loop.Settle();
  CHECK(world.proxy.upstream->calls.size() == 2);  // not the record of tenant a
  CHECK(world.proxy.store.limited_subject != subject);
}

TEST_CASE("a method that a backend may read as a protected one is protected") {
  World world;
  auto sent = world.proxy.Post("", "{}", {}, "post");
  world.loop.Settle();
  CHECK(sent->body.find("key-missing") != std::string::npos);
  CHECK(world.proxy.upstream->calls.empty());
}

TEST_CASE("an interim response passes at once, and is no part of what is recorded") {
  World world;
  auto claim = world.proxy.Post("k-1");
  world.loop.Settle();
  http::ResponseHead hints;
  hints.status = 103;
  world.call(0).events->OnUpstreamInterim(hints);
  CHECK(claim->interim_status == 103);
  CHECK(claim->heads == 0);

  world.Stream();
  auto passed = world.proxy.Post("", "");
  world.loop.Settle();
  world.call(0).events->OnUpstreamInterim(hints);
  CHECK(passed->interim_status == 103);
}

TEST_CASE("a problem in answer to HEAD has the length of its body and not the body") {
  World world;
  auto sent = world.proxy.Post("", "", {}, "HEAD", "/nowhere");
  CHECK(sent->head.status == 404);
  CHECK(sent->head.body.bytes > 0);
  CHECK(sent->body.empty());
}

TEST_CASE("wherever the limiter was asked, the answer carries its fields") {
  World world;
  world.Limit(TenAMinute());
  const auto has_fields = [](const VirtualProxy::Sent& sent) {
    for (const char* name : {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
                             "RateLimit-Policy", "RateLimit"}) {
      if (sent->head.fields.Count(name) != 1) return false;
    }
    return true;
  };
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 201, "made", {{"X-RateLimit-Limit", "3"}});
  world.loop.Settle();
  CHECK(first->head.status == 201);
  CHECK(has_fields(first));
  auto replay = world.proxy.Post("k-1");
  auto mismatch = world.proxy.Post("k-1", "{}");
  auto invalid = world.proxy.Post("a,b");
  auto missing = world.proxy.Post("");
  auto lost = world.proxy.Post("k-2");
  world.loop.Settle();
  FakeUpstream::Fail(world.call(1), UpstreamProblem::kTimeout, Delivery::kMaybeSent);
  world.loop.Settle();
  auto unknown = world.proxy.Post("k-2");
  world.loop.Settle();
  CHECK(replay->head.status == 201);
  CHECK(has_fields(replay));
  CHECK(has_fields(mismatch));
  CHECK(has_fields(invalid));
  CHECK(has_fields(missing));
  CHECK(lost->head.status == 504);
  CHECK(has_fields(lost));
  CHECK(unknown->head.status == 504);
  CHECK(has_fields(unknown));
  CHECK(world.proxy.store.counted == 7);

  world.proxy.Serve(Legacy(), [](exchange::Route& route, exchange::SiteSnapshot&) {
    route.rate_limit = TenAMinute();
    route.idempotency.reset();
  });
  auto streamed = world.proxy.Post("", "");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 200, "ok");
  CHECK(has_fields(streamed));
}

TEST_CASE("on an error of the store the limiter lets through, or not, as it was told") {
  for (const bool allow : {true, false}) {
    CAPTURE(allow);
    World world;
    auto limit = TenAMinute();
    limit.allow_on_store_error = allow;
    world.proxy.Serve(Legacy(), [&](exchange::Route& route, exchange::SiteSnapshot&) {
      route.rate_limit = limit;
      route.idempotency.reset();
    });
    world.proxy.store.away = true;
    auto sent = world.proxy.Post("", "");
    world.loop.Settle();
    CHECK(world.proxy.upstream->calls.size() == (allow ? 1 : 0));
    if (!allow) CHECK(sent->head.status == 503);
  }
}

TEST_CASE("a duplicate that waits is counted once by the rate limit") {
  World world;
  world.Limit(TenAMinute());
  VirtualProxy other(world.loop, world.state, 2);
  other.Serve(Legacy(), [](exchange::Route& route, exchange::SiteSnapshot&) {
    route.rate_limit = TenAMinute();
  });
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto duplicate = other.Post("k-1");
  world.loop.Advance(seconds(2));
  CHECK(other.store.begins > 2);
  CHECK(other.store.counted == 1);
}

TEST_CASE("a record made by another recipe is compared by its own") {
  auto before = Legacy();
  before.recipe.headers = {"content-type"};
  World world(before);
  auto first = world.proxy.Post("k-1", "{}", {{"Content-Type", "a/b"}, {"X-Other", "1"}});
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  auto after = Legacy();
  after.recipe.headers = {"x-other"};
  world.proxy.Serve(after);
  auto same = world.proxy.Post("k-1", "{}", {{"Content-Type", "a/b"}, {"X-Other", "2"}});
  auto other = world.proxy.Post("k-1", "{}", {{"Content-Type", "c/d"}, {"X-Other", "1"}});
  world.loop.Settle();
  CHECK(same->body == "made");
  CHECK(other->body.find("payload-mismatch") != std::string::npos);
  world.state.records.begin()->second.claim.recipe = "9:of-a-later-version";
  auto impossible = world.proxy.Post("k-1", "{}", {{"Content-Type", "c/d"}});
  world.loop.Settle();
  CHECK(impossible->body.find("outcome-unknown") != std::string::npos);
  CHECK(world.proxy.upstream->calls.empty());
}

TEST_CASE("what is held for the store counts with its fields") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  world.proxy.store.away = true;
  FakeUpstream::Answer(world.call(0), 201, "made", {{"X-Long", std::string(1000, 'x').c_str()}});
  world.loop.Advance(seconds(1));
  CHECK(world.proxy.unrecorded.bytes.load() > 1000);
}

TEST_CASE("a possible duplicate is counted where another token holds the record, and only there") {
  for (const bool other_token : {true, false}) {
    CAPTURE(other_token);
    World world;
    auto first = world.proxy.Post("k-1");
    world.loop.Settle();
    auto& record = world.state.records.begin()->second;
    if (other_token) record.claim.token.bytes[0] ^= 1;
    // An operator, or a look-up at the backend, has settled it meanwhile.
    idempotency::StoredResponse settled;
    settled.status = 201;
    record =
        idempotency::MakeCompleted(record.claim, record.begun_at, record.lease_ends_at,
                                   std::make_shared<const idempotency::StoredResponse>(settled),
                                   std::chrono::hours(1), world.proxy.store.Now());
    FakeUpstream::Answer(world.call(0), 201, "made");
    world.loop.Settle();
    CHECK(first->head.status == 201);
    CHECK(first->Field("Idempotent-Replayed") == "true");
    const bool counted =
        world.proxy.metrics.Render().find("duplicate_effect_possible_total 1") != std::string::npos;
    CHECK(counted == other_token);
  }
}

}  // namespace idem::simulation
