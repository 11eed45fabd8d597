#include "proxy/idempotency/look_up_rules.h"

#include <doctest/doctest.h>

#include "proxy/idempotency/policy.h"
#include "proxy/idempotency/record.h"

namespace idem::idempotency {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr LookUpMeaning kFound = LookUpMeaning::kFound;
constexpr LookUpMeaning kAbsent = LookUpMeaning::kAbsent;
constexpr LookUpMeaning kUnclear = LookUpMeaning::kUnclear;

ReconcileRule Rule(std::string found_when = "") {
  ReconcileRule rule;
  rule.get = "/orders?idempotency_key={key}";
  rule.found_when = std::move(found_when);
  return rule;
}

}  // namespace

TEST_CASE("every status of a look-up means what the table says") {
  struct Row {
    int first, last;
    LookUpMeaning whole, too_large;
  };
  const Row rows[] = {
      {100, 199, kUnclear, kUnclear}, {200, 299, kFound, kUnclear},
      {300, 403, kUnclear, kUnclear}, {404, 404, kAbsent, kAbsent},
      {405, 409, kUnclear, kUnclear}, {410, 410, kAbsent, kAbsent},
      {411, 599, kUnclear, kUnclear},
  };
  int next = 100;
  for (const Row& row : rows) {
    REQUIRE(row.first == next);  // the rows cover every status
    next = row.last + 1;
    for (int status = row.first; status <= row.last; ++status) {
      CAPTURE(status);
      const auto sent = static_cast<std::uint16_t>(status);
      CHECK(DecideLookUp(Rule(), {.status = sent, .body = "x"}) == row.whole);
      CHECK(DecideLookUp(Rule(), {.status = sent, .whole = false}) == row.too_large);
      // A condition that the body meets changes nothing.
      const LookUpResponse meets{.status = sent, .body = R"({"id":7})"};
      CHECK(DecideLookUp(Rule("/id"), meets) == row.whole);
      // A condition that the body does not meet makes a 2xx unclear.
      const LookUpResponse other{.status = sent, .body = "[]"};
      CHECK(DecideLookUp(Rule("/id"), other) == (row.whole == kFound ? kUnclear : row.whole));
    }
  }
  CHECK(next == 600);
}

TEST_CASE("found_when asks for something that is there, not null and not empty") {
  struct Row {
    const char* body;
    const char* pointer;
    LookUpMeaning meaning;
  };
  const Row rows[] = {
      {R"({"order":{"id":"a"}})", "/order/id", kFound},
      {R"({"order":{"id":0}})", "/order/id", kFound},
      {R"({"order":{"id":false}})", "/order/id", kFound},
      {R"({"order":{"id":""}})", "/order/id", kUnclear},
      {R"({"order":{"id":null}})", "/order/id", kUnclear},
      {R"({"order":{"id":[]}})", "/order/id", kUnclear},
      {R"({"order":{"id":{}}})", "/order/id", kUnclear},
      {R"({"order":{"id":{"a":1}}})", "/order/id", kFound},
      {R"({"order":{}})", "/order/id", kUnclear},
      {R"({"order":null})", "/order/id", kUnclear},
      {R"({"order":"id"})", "/order/id", kUnclear},
      {R"([{"id":"a"}])", "/0/id", kFound},
      {R"([])", "/0/id", kUnclear},
      {R"({"items":[{"id":1}]})", "/items/0/id", kFound},
      {R"({"items":[{"id":1}]})", "/items/1/id", kUnclear},
      {R"({"a/b":1})", "/a~1b", kFound},
      {"", "/id", kUnclear},
      {"not json", "/id", kUnclear},
      {R"({"id":1)", "/id", kUnclear},             // cut off
      {R"({"id":1} x)", "/id", kUnclear},          // and something else
      {R"({"id":1,"id":null})", "/id", kUnclear},  // two readers could read it differently
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    CHECK(DecideLookUp(Rule(row.pointer), {.status = 200, .body = row.body}) == row.meaning);
  }
}

TEST_CASE("a look-up waits for the lease's end and `after`, by whichever lease is longer") {
  struct Row {
    const char* what;
    seconds lease_of_claim, lease_of_route, after, now, left;
  };
  const Row rows[] = {
      {"at the lease's end", seconds(45), seconds(45), seconds(120), seconds(45), seconds(120)},
      {"on the way", seconds(45), seconds(45), seconds(120), seconds(100), seconds(65)},
      {"a second before", seconds(45), seconds(45), seconds(120), seconds(164), seconds(1)},
      {"at its time", seconds(45), seconds(45), seconds(120), seconds(165), seconds(0)},
      {"long after", seconds(45), seconds(45), seconds(120), seconds(9'000), seconds(0)},
      {"the claim's lease is longer", seconds(60), seconds(45), seconds(10), seconds(60),
       seconds(10)},
      {"the claim was made under a shorter lease", seconds(1), seconds(45), seconds(10), seconds(2),
       seconds(53)},
  };
  const StoreTime begun(seconds(1'000'000));
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Policy policy;
    policy.lease = row.lease_of_route;
    policy.reconcile = Rule();
    policy.reconcile->after = row.after;
    Record record;
    record.begun_at = begun;
    record.lease_ends_at = begun + row.lease_of_claim;
    CHECK(UntilLookUp(policy, record, begun + row.now) == milliseconds(row.left));
    record.state = RecordState::kUnknown;
    CHECK(UntilLookUp(policy, record, begun + row.now) == milliseconds(row.left));
  }
}

TEST_CASE("a key of dots asks for no other path") {
  const auto has = [](const char* get, std::string_view key, std::string_view client = "") {
    ReconcileRule rule;
    rule.get = get;
    return HasLookUpTarget(rule, key, client);
  };
  CHECK(has("/p/{key}", "k-1"));
  CHECK(has("/p/{key}", "..."));
  CHECK(has("/p/a{key}", ".."));
  CHECK(has("/p?k={key}", ".."));
  CHECK(has("/p?k=/{key}/", ".."));
  CHECK(has("/p/{key}", "../x"));  // its slash is encoded
  CHECK_FALSE(has("/p/{key}", "."));
  CHECK_FALSE(has("/p/{key}", ".."));
  CHECK_FALSE(has("/p/{key}/status", ".."));
  CHECK_FALSE(has("/p/.{key}?x", "."));
  CHECK_FALSE(has("/{client}/p?k={key}", "k", ".."));
}

TEST_CASE("the target of a look-up holds key and client with nothing that a URL could read") {
  ReconcileRule rule;
  rule.get = "/p/{client}?k={key}&again={key}&{}";
  CHECK(LookUpTarget(rule, "k-1._~A", "shop") == "/p/shop?k=k-1._~A&again=k-1._~A&{}");
  CHECK(LookUpTarget(rule, "{client}", "a/b c") ==
        "/p/a%2Fb%20c?k=%7Bclient%7D&again=%7Bclient%7D&{}");
  std::string visible;
  for (char c = '!'; c <= '~'; ++c) visible.push_back(c);
  rule.get = "{key}";
  CHECK(LookUpTarget(rule, visible, "") ==
        "%21%22%23%24%25%26%27%28%29%2A%2B%2C-.%2F0123456789%3A%3B%3C%3D%3E%3F%40"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ%5B%5C%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~");
}

}  // namespace idem::idempotency
