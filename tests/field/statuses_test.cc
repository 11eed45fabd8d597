// Client libraries never read `retry`; they class by status. What each of them makes of our answers
// has to be true: done, not known, or refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/world.h"

namespace idem::field {

namespace {

using ports::UpstreamProblem;
using simulation::FakeUpstream;
using simulation::Legacy;
using simulation::VirtualProxy;
using simulation::World;
using Sent = VirtualProxy::Sent;

// What a caller's program believes at the end.
enum class Belief { kDone, kUnknown, kRefused };

// A client with its usual retry policy, as measured: which statuses it sends again, and whether it
// does so only with Retry-After.
struct Client {
  const char* name;
  std::set<int> retried;
  bool needs_retry_after = false;
};

const std::vector<Client> kClients = {
    {"no policy (requests, fetch, HttpClient)", {}},
    {"urllib3 Retry, by Retry-After", {413, 429, 503}, true},
    {"urllib3 Retry(status_forcelist)", {429, 500, 502, 503, 504}},
    {"axios-retry, go-retryablehttp, Guzzle, Faraday", {429, 500, 502, 503, 504}},
    {"ky, undici RetryAgent", {408, 413, 429, 500, 502, 503, 504}},
    {"okhttp", {408, 503}, true},
    {"Apache HttpClient", {503}},
    {"curl --retry, wget", {408, 429, 500, 502, 503, 504}},
};

Belief ClassOf(int status) {
  if (status < 400) return Belief::kDone;
  return status < 500 ? Belief::kRefused : Belief::kUnknown;
}

// Sends the same request until it is answered with what the client does not retry, or three times
// more.
Belief End(const Client& client, World& world, std::chrono::seconds pause) {
  int status = 0;
  for (int tries = 0; tries < 4; ++tries) {
    auto sent = world.proxy.Post("k-1");
    world.loop.Advance(pause);
    if (sent->heads == 0) return Belief::kUnknown;  // its own patience is over
    status = sent->head.status;
    const bool told_when = sent->Field("Retry-After") != "(absent)";
    if (!client.retried.contains(status) || (client.needs_retry_after && !told_when)) break;
  }
  return ClassOf(status);
}

Sent Lose(World& world) {
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kReset, Delivery::kMaybeSent);
  world.loop.Settle();
  return first;
}

}  // namespace

TEST_CASE("an unknown outcome ends as unknown in every client, and never as a refusal") {
  for (const Client& client : kClients) {
    CAPTURE(client.name);
    World world;
    CHECK(ClassOf(Lose(world)->head.status) == Belief::kUnknown);
    CHECK(End(client, world, std::chrono::seconds(1)) == Belief::kUnknown);
    CHECK(world.proxy.upstream->calls.size() == 1);
  }
}

TEST_CASE("an unknown outcome that reconcile will settle is 503 with Retry-After") {
  auto policy = Legacy();
  policy.reconcile.emplace().get = "/orders?key={key}";
  World world(policy);
  Lose(world);
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->head.status == 503);
  CHECK(again->Field("Retry-After") != "(absent)");
  CHECK(again->body.find("\"retry\":\"same-key\"") != std::string::npos);
}

TEST_CASE("every client that retries 503 gets past in-progress to the answer") {
  for (const Client& client : kClients) {
    if (!client.retried.contains(503)) continue;
    CAPTURE(client.name);
    auto policy = Legacy();
    policy.in_progress = idempotency::InProgress::kReject;
    World world(policy);
    auto first = world.proxy.Post("k-1");
    world.loop.Settle();
    auto duplicate = world.proxy.Post("k-1");
    world.loop.Settle();
    CHECK(duplicate->head.status == 503);
    CHECK(duplicate->Field("Retry-After") == "1");
    CHECK(client.retried.contains(duplicate->head.status));
    FakeUpstream::Answer(world.call(0), 201, "made");
    world.loop.Settle();
    CHECK(End(client, world, std::chrono::seconds(1)) == Belief::kDone);
    CHECK(world.proxy.upstream->calls.size() == 1);
  }
}

TEST_CASE("the numbers of the IETF draft are there by choice") {
  auto policy = Legacy();
  policy.in_progress = idempotency::InProgress::kReject;
  policy.in_progress_status = 409;
  policy.unknown_status = 409;
  World world(policy);
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto duplicate = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(duplicate->head.status == 409);
  CHECK(duplicate->Field("Retry-After") == "1");
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kReset, Delivery::kMaybeSent);
  world.loop.Settle();
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->head.status == 409);
  CHECK(again->body.find("outcome-unknown") != std::string::npos);
}

}  // namespace idem::field
