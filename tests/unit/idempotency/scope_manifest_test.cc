#include "proxy/idempotency/scope_manifest.h"

#include <doctest/doctest.h>

namespace idem::idempotency {

namespace {

using Routes = std::vector<RouteScope>;

RouteScope Orders() { return {"orders", "idempotency-key", {"client"}, {"a", "b"}}; }
RouteScope Open(std::string name) { return {std::move(name), "idempotency-key", {"route"}, {}}; }

ScopeManifest After(const Routes& routes, const std::string& prefix = "p:") {
  return CompareScopes({}, prefix, routes).next;
}

std::string Differences(const ScopeManifest& held, const Routes& routes,
                        const std::string& prefix = "p:") {
  std::string text;
  for (const std::string& difference : CompareScopes(held, prefix, routes).differences) {
    text += difference + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("scopes are text that reads back as it was written") {
  ScopeManifest scopes = After({Orders(), Open("b,c d=%")}, "");
  scopes["p:"]["orders"] = {false, "x-key", {"header:x-tenant", "route"}, {"é", ","}, {"old"}};
  const std::string text = ToText(scopes);
  CAPTURE(text);
  const auto read = ParseScopes(text);
  REQUIRE(read.has_value());
  CHECK(*read == scopes);
  CHECK(ToText(After({Orders()}, "")) ==
        "idemproxy-scopes/1\nprefix= route=orders state=active header=idempotency-key scope=client "
        "clients=a,b gone=\n");
}

TEST_CASE("what nobody wrote is not read") {
  const std::string line = "prefix= route=o state=active header=h scope=client clients=a gone=\n";
  REQUIRE(ParseScopes("idemproxy-scopes/1\n" + line).has_value());
  REQUIRE(ParseScopes("idemproxy-scopes/1\n").has_value());
  for (const std::string& text :
       {std::string(), std::string("idemproxy-scopes/2\n"), std::string("idemproxy-scopes/1"),
        "idemproxy-scopes/1\n" + line.substr(1), "idemproxy-scopes/1\n" + line + line,
        "idemproxy-scopes/1\n" + line.substr(0, line.size() - 1),
        "idemproxy-scopes/1\n" + line.substr(0, line.size() - 1) + " more=\n",
        std::string("idemproxy-scopes/1\nprefix= route= state=active header=h scope= clients= "
                    "gone=\n"),
        std::string("idemproxy-scopes/1\nprefix= route=o state=lost header=h scope= clients= "
                    "gone=\n"),
        std::string("idemproxy-scopes/1\nprefix= route=o state=gone header=h scope=a, clients= "
                    "gone=\n"),
        std::string("idemproxy-scopes/1\nprefix= route=%zz state=gone header=h scope= clients= "
                    "gone=\n")}) {
    CAPTURE(text);
    CHECK_FALSE(ParseScopes(text).has_value());
  }
}

TEST_CASE("what forgets earlier keys is a difference, and names both values") {
  RouteScope other_scope = Orders();
  other_scope.scope = {"route", "header:x-tenant"};
  RouteScope other_header = Orders();
  other_header.header = "x-key";
  RouteScope renamed_client = Orders();
  renamed_client.clients = {"a", "c"};
  RouteScope open = Orders();
  open.clients = {};
  RouteScope renamed = Orders();
  renamed.name = "orders-v2";
  const ScopeManifest held = After({Orders(), Open("refunds")});
  struct Row {
    Routes routes;
    std::string prefix;
    std::string differences;
  };
  const Row rows[] = {
      {{Orders(), Open("refunds")}, "p:", ""},
      {{other_scope, Open("refunds")},
       "p:",
       "route `orders`: idempotency.scope is [route, header:x-tenant], but the records were "
       "written with "
       "[client]\n"},
      {{other_header, Open("refunds")},
       "p:",
       "route `orders`: idempotency.header is `x-key`, but the records have keys from "
       "`idempotency-key`\n"},
      {{renamed_client, Open("refunds")},
       "p:",
       "route `orders`: the records belong to `b`, which is gone, while `c` is new: is it the "
       "same client under another id?\n"},
      {{open, Open("refunds")},
       "p:",
       "route `orders`: it has no authentication, but the records belong to `a`, `b`\n"},
      {{renamed, Open("refunds")},
       "p:",
       "the records belong to route `orders`, which is gone, while `orders-v2` is new: is it "
       "the same route under another name?\n"},
      {{Orders(), Open("refunds")},
       "q:",
       "store.key_prefix is `q:`, but the records of route `orders` are stored under `p:`\n"},
      {{Open("of another service")}, "q:", ""},
  };
  for (const Row& row : rows) CHECK(Differences(held, row.routes, row.prefix) == row.differences);
  RouteScope closed = Open("refunds");
  closed.clients = {"a"};
  CHECK(Differences(held, {Orders(), closed}) ==
        "route `refunds`: it authenticates `a`, but the records belong to no client\n");
}

TEST_CASE("a new prefix that begins another one, or is begun by it, is a difference") {
  const ScopeManifest held = After({Open("pay")}, "idemp:");
  for (const char* prefix : {"idemp:eu:", "idemp", ""}) {
    CAPTURE(prefix);
    const std::string told = Differences(held, {Open("other")}, prefix);
    CHECK(told.find("`idemp:`") != std::string::npos);
    const ScopeManifest accepted = CompareScopes(held, prefix, {Open("other")}).next;
    CHECK(Differences(accepted, {Open("other")}, prefix).empty());
  }
  CHECK(Differences(held, {Open("other")}, "eu:").empty());
}

TEST_CASE("routes and clients may come, and may go, and what has gone is not forgotten") {
  const ScopeManifest one = After({Orders()});
  CHECK(Differences(one, {Orders(), Open("refunds")}).empty());
  const ScopeManifest two = CompareScopes(one, "p:", {Orders(), Open("refunds")}).next;

  CHECK(Differences(two, {Orders()}).empty());
  const ScopeManifest without = CompareScopes(two, "p:", {Orders()}).next;
  CHECK_FALSE(without.at("p:").at("refunds").active);
  CHECK(Differences(without, {Orders(), Open("third")}).empty());
  CHECK(Differences(without, {Orders(), Open("refunds")}).empty());
  RouteScope back = Open("refunds");
  back.scope = {};
  CHECK(Differences(without, {Orders(), back}) ==
        "route `refunds`: idempotency.scope is [], but the records were written with [route]\n");

  RouteScope fewer = Orders();
  fewer.clients = {"a"};
  CHECK(Differences(one, {fewer}).empty());
  const ScopeManifest left = CompareScopes(one, "p:", {fewer}).next;
  CHECK(left.at("p:").at("orders").gone_clients == std::vector<std::string>{"b"});
  RouteScope more = Orders();
  more.clients = {"a", "c"};
  CHECK(Differences(left, {more}).empty());
  CHECK(Differences(left, {Orders()}).empty());
  CHECK(CompareScopes(left, "p:", {Orders()}).next == one);
}

TEST_CASE("what was accepted once is no difference any more") {
  RouteScope renamed = Orders();
  renamed.name = "orders-v2";
  const ScopeManifest held = After({Orders()});
  REQUIRE_FALSE(Differences(held, {renamed}).empty());
  const ScopeManifest accepted = CompareScopes(held, "p:", {renamed}).next;
  CHECK(Differences(accepted, {renamed}).empty());
  CHECK(CompareScopes(accepted, "p:", {renamed}).next == accepted);
  const ScopeManifest moved = CompareScopes(held, "q:", {Orders()}).next;
  CHECK(Differences(moved, {Orders()}, "q:").empty());
  CHECK(Differences(moved, {Orders()}, "p:").empty());
}

}  // namespace idem::idempotency
