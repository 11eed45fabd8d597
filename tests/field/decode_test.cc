// What a library spells otherwise by itself on a retry is the same request.
#include <doctest/doctest.h>

#include <string>

#include "tests/simulation/world.h"
#include "tests/support/gzip.h"

namespace idem::field {

namespace {

using simulation::FakeUpstream;
using simulation::Legacy;
using simulation::VirtualProxy;
using simulation::World;
using support::Gzip;

struct Try {
  std::string body;
  std::string type;
  std::string coding = {};
};

VirtualProxy::Sent Send(World& world, const Try& one) {
  auto sent =
      one.coding.empty()
          ? world.proxy.Post("k-1", one.body, {{"Content-Type", one.type}})
          : world.proxy.Post("k-1", one.body,
                             {{"Content-Type", one.type}, {"Content-Encoding", one.coding}});
  world.loop.Settle();
  return sent;
}

Try Form(const std::string& boundary, const std::string& amount) {
  return {"--" + boundary + "\r\nContent-Disposition: form-data; name=\"amount\"\r\n\r\n" + amount +
              "\r\n--" + boundary + "--\r\n",
          "multipart/form-data; boundary=" + boundary};
}

// "replay", or what the mismatch names.
std::string Told(const Try& first, const Try& retry, const idempotency::Policy& policy = Legacy()) {
  World world(policy);
  auto before = Send(world, first);
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  auto again = Send(world, retry);
  CHECK(world.proxy.upstream->calls.size() == 1);
  if (again->Field("Idempotent-Replayed") == "true") return "replay";
  return world.proxy.reports.back().mismatch_in;
}

}  // namespace

TEST_CASE("a FormData that is sent again with a new boundary is the same request") {
  CHECK(Told(Form("----a1", "10"), Form("----b2", "10")) == "replay");
  CHECK(Told(Form("----a1", "10"), Form("----b2", "11")) == "body");
}

TEST_CASE("a JSON body that gzip.compress wrote again is the same request") {
  const auto json = [](const std::string& text, int level, unsigned time) {
    return Try{Gzip(text, level, time), "application/json", "gzip"};
  };
  CHECK(Told(json("{\"a\":1}", 9, 1), json("{\"a\":1}", 1, 2)) == "replay");
  CHECK(Told(json("{\"a\":1}", 9, 1), json("{\"a\":2}", 9, 1)) == "body");
  CHECK(Told(json("{\"a\":1}", 9, 1), {"{\"a\":1}", "application/json"}) == "body");
  auto policy = Legacy();
  policy.recipe.body = idempotency::BodyMode::kJson;
  CHECK(Told(json("{\"a\":1,\"b\":2}", 9, 1), json("{\"b\":2, \"a\":1}", 9, 1), policy) ==
        "replay");
}

TEST_CASE("with decode: false the bytes count, as in records of the version before") {
  auto policy = Legacy();
  policy.recipe.decode = false;
  CHECK(Told(Form("----a1", "10"), Form("----b2", "10"), policy) == "body,content-type");
}

TEST_CASE("a record of the recipe before is compared by that recipe, and replayed") {
  auto before = Legacy();
  before.recipe.decode = false;
  World world(before);
  auto first = Send(world, Form("----a1", "10"));
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  CHECK(world.state.records.begin()->second.claim.recipe == "1:raw:content-type:");
  world.proxy.Serve(Legacy());
  CHECK(Send(world, Form("----a1", "10"))->body == "made");
  auto other = Send(world, Form("----b2", "10"));
  CHECK(other->body.find("\"mismatch_in\":\"body,content-type\"") != std::string::npos);
}

}  // namespace idem::field
