// An operator settles unknown outcomes with `idemproxy records` against the running proxy.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proxy/base/json.h"
#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"

namespace idem::support {

namespace {

using support::Conversation;
using support::RefusingPort;
using support::Response;
using support::ScriptedBackend;

constexpr std::string_view kBody = R"({"user_id":"u-1","item":"book","amount":500})";

// Cuts the connection after requests whose key begins with `cut`, and delays those with `hold`.
ScriptedBackend::Script ByKey() {
  return [](Conversation& talk) {
    const std::string key = talk.request().Field("Idempotency-Key");
    if (key.starts_with("cut") && talk.request().Field("X-Try") != "again") return talk.Reset();
    if (key.starts_with("hold")) talk.WaitForRelease();
    talk.Send(Response(201, "made by the backend"));
  };
}

std::string StoreYaml(const std::string& name, const TempFolder& folder) {
  if (name == "embedded") {
    return "store: { type: embedded, timeout: 20s, path: " + folder.path() + "/db }\n";
  }
  if (name == "memory") return "store: { type: memory }\n";
  static int counter = 0;
  const std::string url = name == "redis"
                              ? "redis://127.0.0.1:" + ServerVariable("IDEM_TEST_REDIS_PORT") + "/0"
                              : ServerVariable("IDEM_TEST_POSTGRES");
  return "store: { type: " + name + ", url: \"" + url + "\", timeout: 20s, key_prefix: \"records" +
         std::to_string(getpid()) + "-" + std::to_string(++counter) + ":\" }\n";
}

struct Outcome {
  int exit_code;
  std::string output;
  std::string errors;
};

/// A proxy, its backend, and the command line.
class Operated {
 public:
  explicit Operated(const std::string& store)
      : yaml_(StoreYaml(store, folder_) +
              "workers: 1\nroutes:\n  - name: orders\n    path: /orders\n" +
              "    upstream: http://" + backend.address() + "\n    idempotency: {}\n"),
        proxy(yaml_),
        file_(folder_.Write("operator.yaml", yaml_)) {}

  Outcome Records(std::vector<std::string> arguments) {
    return Records(std::move(arguments), "127.0.0.1:" + std::to_string(proxy.admin_port()));
  }
  Outcome Records(std::vector<std::string> arguments, const std::string& admin) {
    arguments.insert(arguments.begin(), "records");
    arguments.insert(arguments.end(), {"-c", file_, "--admin", admin});
    Process command = Process::Start({BuiltProgram("idemproxy"), std::move(arguments), {}});
    const int exit_code = command.WaitForExit();
    return {exit_code, command.output(), command.error_output()};
  }
  HttpResponse Post(const std::string& key, FieldList fields = {}) {
    fields.emplace_back("Idempotency-Key", key);
    return AskOnce(proxy.port(), "POST", "/orders", fields, kBody);
  }
  /// Returns a member of the only record of the key.
  std::string Shown(const std::string& key, const std::string& member) {
    const Outcome shown = Records({"show", "--json", "--key", "route=orders;" + key});
    CAPTURE(shown.errors);
    REQUIRE(shown.exit_code == 0);
    const auto json = JsonValue::Parse(shown.output);
    REQUIRE(json.has_value());
    REQUIRE((*json)["records"].items().size() == 1);
    return std::string((*json)["records"].items().front()[member].text().value_or(""));
  }

 private:
  TempFolder folder_;

 public:
  ScriptedBackend backend{ByKey()};

 private:
  std::string yaml_;

 public:
  RunningProxy proxy;

 private:
  std::string file_;
};

const std::vector<std::string> kStores = {"memory", "embedded", "redis", "postgres"};

bool Holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE(
    "an unknown outcome is found, shown and resolved, and callers get the operator's answer") {
  for (const std::string& store : kStores) {
    CAPTURE(store);
    Operated world(store);
    CHECK(world.Records({"list"}).output == "no records\n");
    REQUIRE(world.Post("cut-1").status == 502);
    REQUIRE(world.Post("fine").status == 201);

    const Outcome list = world.Records({"list", "--state", "unknown", "--route", "orders"});
    CAPTURE(list.output);
    CHECK(list.exit_code == 0);
    CHECK(list.output.starts_with("KEY_HASH"));
    CHECK(Holds(list.output, "route=orders;cut-1"));
    CHECK_FALSE(Holds(list.output, "fine"));
    CHECK(world.Records({"list", "--min-age", "1h"}).output == "no records\n");
    CHECK(world.Records({"list", "--client", "nobody"}).output == "no records\n");

    const std::string hash = world.Shown("cut-1", "key_hash");
    const std::string token = world.Shown("cut-1", "token");
    CHECK(Holds(list.output, hash));
    const Outcome shown = world.Records({"show", hash});
    CHECK(Holds(shown.output, "state               unknown\n"));
    CHECK(Holds(shown.output, "token               " + token + "\n"));

    const Outcome resolved =
        world.Records({"resolve", hash, "--token", token, "--reason", "ticket 7: it was booked",
                       "--status", "201", "--body", "{\"order\":7}"});
    CAPTURE(resolved.errors);
    CHECK(resolved.exit_code == 0);
    CHECK(resolved.output == "resolved\n");
    const std::string line = world.proxy.process().WaitForLine("record_settled");
    CHECK(Holds(line, "\"action\":\"resolve\",\"outcome\":\"resolved\",\"key_hash\":\"" + hash));
    CHECK(Holds(line, "\"reason\":\"ticket 7: it was booked\",\"address\":\"127.0.0.1\""));
    CHECK(Holds(line, token));
    CHECK_FALSE(Holds(line, "cut-1"));

    const auto replay = world.Post("cut-1");
    CHECK(replay.status == 201);
    CHECK(replay.body == "{\"order\":7}");
    CHECK(replay.Field("Content-Type") == "application/json");
    CHECK(replay.Field("Idempotent-Replayed") == "true");
    CHECK(world.backend.requests_with_key("cut-1") == 1);
    CHECK(world.Shown("cut-1", "state") == "completed");
    CHECK(Holds(world.Records({"show", hash}).output, "status              201\n"));
  }
}

TEST_CASE("a released key is executed again") {
  for (const std::string& store : kStores) {
    CAPTURE(store);
    Operated world(store);
    REQUIRE(world.Post("cut-1").status == 502);
    CHECK(Holds(world.Post("cut-1").body, "outcome-unknown"));
    const Outcome released =
        world.Records({"release", "--key", "route=orders;cut-1", "--token",
                       world.Shown("cut-1", "token"), "--reason", "not booked"});
    CAPTURE(released.errors);
    CHECK(released.exit_code == 0);
    CHECK(released.output == "released\n");
    CHECK(Holds(world.proxy.process().WaitForLine("record_settled"), "\"outcome\":\"released\""));
    CHECK(world.Post("cut-1", {{"X-Try", "again"}}).body == "made by the backend");
    CHECK(world.backend.requests_with_key("cut-1") == 2);
  }
}

TEST_CASE("nothing is settled that somebody executes, that is completed, or that has changed") {
  for (const std::string& store : kStores) {
    CAPTURE(store);
    Operated world(store);
    HttpClient caller(world.proxy.port());
    caller.Send(RequestText("POST", "/orders", {{"Idempotency-Key", "hold-1"}}, kBody));
    REQUIRE(world.backend.WaitForRequests(1));
    const std::string token = world.Shown("hold-1", "token");
    const std::vector<std::string> release = {
        "release", "--key", "route=orders;hold-1", "--token", token, "--reason", "I am in a hurry"};
    const Outcome alive = world.Records(release);
    CHECK(alive.exit_code == 1);
    CHECK(Holds(alive.errors, "lease ends in"));
    CHECK(Holds(world.proxy.process().WaitForLine("record_settled"), "\"outcome\":\"refused\""));

    world.backend.Release();
    CHECK(caller.ReadResponse("POST").status == 201);
    const Outcome completed = world.Records(release);
    CHECK(completed.exit_code == 1);
    CHECK(Holds(completed.errors, "is completed"));

    REQUIRE(world.Post("cut-1").status == 502);
    const Outcome changed = world.Records(
        {"release", "--key", "route=orders;cut-1", "--token", token, "--reason", "the wrong one"});
    CHECK(changed.exit_code == 1);
    CHECK(Holds(changed.errors, "differs from the token given"));
    CHECK(world.Shown("cut-1", "state") == "unknown");

    const Outcome absent = world.Records(
        {"release", "--key", "route=orders;nothing", "--token", token, "--reason", "x"});
    CHECK(absent.exit_code == 1);
    CHECK(Holds(absent.errors, "no record"));
  }
}

TEST_CASE("the command says what is wrong with a question") {
  Operated world("memory");
  const std::string token(32, 'a');
  struct Row {
    std::vector<std::string> arguments;
    int exit_code;
    std::string_view errors;
  };
  const Row rows[] = {
      {{"show"}, 2, "name the record"},
      {{"show", "0123456789abcdef"}, 1, "no such record"},
      {{"show", "not a hash"}, 1, "16 digits"},
      {{"list", "--min-age", "old"}, 2, "is not a duration"},
      {{"list", "--state", "completed"}, 2, "--state"},
      {{"release", "0123456789abcdef", "--token", token}, 2, "--reason"},
      {{"release", "0123456789abcdef", "--reason", "x"}, 2, "--token"},
      {{"release", "--key", "k", "--token", "short", "--reason", "x"}, 1, "32 digits"},
      {{"release", "--key", "k", "--token", token, "--reason", " "}, 1, "reason"},
      {{"resolve", "--key", "k", "--token", token, "--reason", "x"}, 2, "--status"},
      {{"resolve", "--key", "k", "--token", token, "--reason", "x", "--status", "100"},
       2,
       "--status"},
      {{"resolve", "--key", "k", "--token", token, "--reason", "x", "--status", "204", "--body",
        "b"},
       1,
       "no body"},
      {{"resolve", "--key", "k", "--token", token, "--reason", "x", "--status", "200", "--body",
        "@/nowhere"},
       2,
       "cannot be read"},
      {{"resolve", "--key", "k", "--token", token, "--reason", "x", "--status", "200", "--body",
        "@/"},
       2,
       "cannot be read"},
      {{"resolve", "--key", "k", "--token", token, "--reason", "x", "--status", "200", "--body",
        "@/dev/zero"},
       2,
       "larger than 2 MiB"},
      {{}, 2, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.errors);
    const Outcome outcome = world.Records(row.arguments);
    CAPTURE(outcome.errors);
    CHECK(outcome.exit_code == row.exit_code);
    CHECK(Holds(outcome.errors, row.errors));
    CHECK(std::count(outcome.errors.begin(), outcome.errors.end(), '\n') <= 1);
  }
}

TEST_CASE("a list that was asked for a few says whether there are more, in text and in JSON") {
  for (const std::string& store : kStores) {
    CAPTURE(store);
    Operated world(store);
    for (const char* key : {"cut-1", "cut-2", "cut-3"}) REQUIRE(world.Post(key).status == 502);
    for (const std::string limit : {"2", "3"}) {
      CAPTURE(limit);
      const Outcome text = world.Records({"list", "--limit", limit});
      CHECK(std::count(text.output.begin(), text.output.end(), '\n') == std::stoi(limit) + 1);
      const Outcome json = world.Records({"list", "--limit", limit, "--json"});
      const auto document = JsonValue::Parse(json.output);
      REQUIRE(document.has_value());
      CHECK((*document)["records"].items().size() == std::stoul(limit));
      CHECK((*document)["records"].items().front()["state"].text() == "unknown");
      CHECK((*document)["records"].items().front()["upstream_idempotent"].flag() == false);
      CHECK((*document)["records"].items().front()["lease_left_ms"].whole_number() == 0);
      const bool more = limit == "2";
      CHECK((*document)["more"].flag() == more);
      CHECK(Holds(text.errors, "there are more") == more);
      CHECK(Holds(json.errors, "there are more") == more);
    }
  }
}

TEST_CASE("a list of many pages is one document, the oldest first") {
  Operated world("memory");  // a page is one of its shards and some more
  constexpr std::size_t kRecords = 130;
  for (std::size_t i = 0; i < kRecords; ++i) world.Post("cut-" + std::to_string(i));
  const auto page = JsonValue::Parse(AskOnce(world.proxy.admin_port(), "GET", "/records").body);
  REQUIRE(page.has_value());
  CHECK((*page)["cursor"].text() != "");
  const auto document = JsonValue::Parse(world.Records({"list", "--json"}).output);
  REQUIRE(document.has_value());
  const auto& records = (*document)["records"].items();
  CHECK(records.size() == kRecords);
  CHECK((*document)["more"].flag() == false);
  CHECK(std::ranges::is_sorted(
      records, {}, [](const JsonValue& record) { return record["begun_at"].text().value(); }));
}

TEST_CASE("an act stands in the log, whatever else is left out of it") {
  ScriptedBackend backend(ByKey());
  const TempFolder folder;
  const std::string admin = folder.path() + "/admin.sock";
  const std::string front = folder.path() + "/front.sock";
  const std::string file = folder.Write(
      "quiet.yaml", "listen: \"unix:" + front + "\"\nadmin: { listen: \"unix:" + admin +
                        "\" }\nlog: { level: error }\nstore: { type: memory }\nworkers: 1\n" +
                        "routes:\n  - path: /orders\n    upstream: http://" + backend.address() +
                        "\n    idempotency: { scope: [] }\n");
  const auto run = [](const std::string& program, std::vector<std::string> arguments) {
    auto command = Process::Start({program, std::move(arguments), {}});
    const int exit_code = command.WaitForExit();
    return Outcome{exit_code, command.output(), command.error_output()};
  };
  auto proxy = Process::Start({BuiltProgram("idemproxy"), {"run", "-c", file}, {}});
  // The proxy does not report this listener, so curl retries until it answers.
  REQUIRE(run("curl", {"-s", "--retry", "60", "--retry-delay", "1", "--retry-all-errors",
                       "--unix-socket", front, "http://pay.test/"})
              .exit_code == 0);
  run("curl", {"-s", "--unix-socket", front, "-H", "Idempotency-Key: cut-1", "-d", "{}",
               "http://pay.test/orders"});
  const auto shown = JsonValue::Parse(
      run(BuiltProgram("idemproxy"), {"records", "show", "-c", file, "--json", "--key", "cut-1"})
          .output);
  REQUIRE(shown.has_value());
  REQUIRE((*shown)["records"].items().size() == 1);
  const std::string token((*shown)["records"].items().front()["token"].text().value_or(""));
  const Outcome released =
      run(BuiltProgram("idemproxy"), {"records", "release", "-c", file, "--key", "cut-1", "--token",
                                      token, "--reason", "ticket 7"});
  CHECK(released.output == "released\n");
  CHECK(Holds(proxy.WaitForLine("record_settled"), "\"level\":\"error\""));
  CHECK_FALSE(Holds(proxy.output(), "\"event\":\"request\""));
}

TEST_CASE("an address that is no admin listener gets an error of its own") {
  Operated world("memory");
  for (const std::string& address :
       {"127.0.0.1:" + std::to_string(world.proxy.port()), world.backend.address()}) {
    CAPTURE(address);
    const Outcome outcome = world.Records({"list"}, address);
    CHECK(outcome.exit_code == 1);
    CHECK(Holds(outcome.errors, "is not the admin listener of this idemproxy version"));
  }
}

TEST_CASE("the API refuses what it cannot read") {
  Operated world("memory");
  const std::uint16_t port = world.proxy.admin_port();
  const FieldList json = {{"Content-Type", "application/json"}};
  struct Row {
    std::string_view method, target;
    FieldList fields;
    std::string body;
    int status;
  };
  const Row rows[] = {
      {"GET", "/records?state=lost", {}, "", 400},
      {"GET", "/records?nothing=1", {}, "", 400},
      {"GET", "/records?limit=0", {}, "", 400},
      {"GET", "/records?limit=1001", {}, "", 400},
      {"GET", "/records?cursor=zzz", {}, "", 400},
      {"GET", "/records?route=%zz", {}, "", 400},
      {"GET", "/records?route=a&route=b", {}, "", 400},
      {"GET", "/records/other", {}, "", 404},
      {"DELETE", "/records", {}, "", 405},
      {"GET", "/records/release", {}, "", 405},
      {"POST", "/records/release", {}, "{}", 415},
      {"POST", "/records/release", {{"Content-Type", "text/plain"}}, "{}", 415},
      {"POST",
       "/records/release",
       {{"Content-Type", "application/json"}, {"Origin", "http://evil.example"}},
       "{}",
       415},
      {"POST", "/records/release", json, "", 400},
      {"POST", "/records/release", json, "{", 400},
      {"POST", "/records/release", json, "[]", 400},
      {"POST", "/records/release", json, std::string(100000, '['), 400},
      {"POST", "/records/release", json, R"({"record_key":"k","unknown":1})", 400},
      {"POST", "/records/release", json, R"({"record_key":7})", 400},
      {"POST", "/records/release", json, std::string((2 << 20) + 1, ' '), 413},
      {"POST", "/records/resolve", json,
       R"({"record_key":"k","token":"00000000000000000000000000000001","reason":"x","status":1e3})",
       400},
      {"POST", "/records/resolve", json,
       R"({"record_key":"k","token":"00000000000000000000000000000001","reason":"x","status":200,)"
       R"("body":"x","content_type":"a\r\nSet-Cookie: b"})",
       400},
  };
  for (const Row& row : rows) {
    CAPTURE(row.method);
    CAPTURE(row.target);
    CAPTURE(row.body.substr(0, 100));
    CHECK(AskOnce(port, row.method, row.target, row.fields, row.body).status == row.status);
  }
  CHECK(AskOnce(port, "DELETE", "/records").Field("Allow") == "GET");
  CHECK(AskOnce(port, "GET", "/records/resolve").Field("Allow") == "POST");
  CHECK(AskOnce(port, "GET", "/records").body == "{\"records\":[],\"cursor\":\"\"}\n");
}

TEST_CASE("with a token the admin listener asks for it, and the command has it from the file") {
  const TempFolder folder;
  const std::string socket = "unix:" + folder.path() + "/admin.sock";
  const std::string token_file = folder.Write("token", "a-token-of-the-tests\n");
  ScriptedBackend backend(ByKey());
  const std::string rest = "store: { type: memory }\nworkers: 1\nroutes:\n  - path: /orders\n" +
                           ("    upstream: http://" + backend.address()) +
                           "\n    idempotency: {}\n";
  const auto file = [&](const std::string& name, const std::string& token) {
    return folder.Write(
        name, "listen: 127.0.0.1:0\nadmin: { listen: \"" + socket + "\", " + token + " }\n" + rest);
  };
  const std::string right = file("right.yaml", "token_file: " + token_file);
  const std::string wrong = file("wrong.yaml", "token: another-token-of-the-tests");
  auto proxy = Process::Start({BuiltProgram("idemproxy"), {"run", "-c", right}, {}});
  proxy.WaitForLine("\"event\":\"listening\"");
  const auto list = [&](const std::string& with) {
    auto command = Process::Start({BuiltProgram("idemproxy"), {"records", "list", "-c", with}, {}});
    const int exit_code = command.WaitForExit();
    return Outcome{exit_code, command.output(), command.error_output()};
  };
  CHECK(list(right).output == "no records\n");
  const Outcome refused = list(wrong);
  CHECK(refused.exit_code == 1);
  CHECK(Holds(refused.errors, "token"));
  CHECK_FALSE(Holds(refused.errors, "another-token-of-the-tests"));
  CHECK_FALSE(Holds(proxy.output(), "a-token-of-the-tests"));
}

TEST_CASE("without its token the admin listener answers probes and nothing else") {
  ScriptedBackend backend(ByKey());
  const TempFolder folder;
  const std::string file = folder.Write(
      "token.yaml",
      "listen: 127.0.0.1:0\nadmin: { listen: \"127.0.0.1:0\", token: sixteen-letters-x "
      "}\nstore: { type: memory }\nworkers: 1\nroutes:\n  - path: /orders\n    "
      "upstream: http://" +
          backend.address() + "\n    idempotency: {}\n");
  auto proxy = Process::Start({BuiltProgram("idemproxy"), {"run", "-c", file}, {}});
  const std::string line = proxy.WaitForLine("\"event\":\"admin_listening\"");
  const auto port =
      static_cast<std::uint16_t>(std::stoi(line.substr(line.find("127.0.0.1:") + 10)));
  proxy.WaitForLine("\"event\":\"listening\"");
  CHECK(AskOnce(port, "GET", "/healthz").status == 200);
  for (const std::string path : {"/metrics", "/records", "/records/release", "/nothing"}) {
    CAPTURE(path);
    CHECK(AskOnce(port, "GET", path).status == 401);
    CHECK(AskOnce(port, "GET", path, {{"Authorization", "Bearer sixteen-letters-y"}}).status ==
          401);
    CHECK(AskOnce(port, "GET", path, {{"Authorization", "Basic sixteen-letters-x"}}).status == 401);
  }
  CHECK(AskOnce(port, "GET", "/records").Field("WWW-Authenticate") == "Bearer");
  CHECK(AskOnce(port, "GET", "/records", {{"Authorization", "bearer sixteen-letters-x"}}).status ==
        200);
}

TEST_CASE("a proxy that cannot be asked: one clear line") {
  const TempFolder folder;
  const RefusingPort nobody;
  const std::string rest =
      "store: { type: memory }\nroutes:\n  - path: /orders\n    upstream: "
      "http://127.0.0.1:1\n";
  const std::string file =
      folder.Write("a.yaml", "admin: { listen: \"" + nobody.address() + "\" }\n" + rest);
  const std::string off = folder.Write("b.yaml", "admin: off\n" + rest);
  struct Row {
    std::string file;
    int exit_code;
    std::string errors;
  };
  for (const Row& row :
       {Row{file, 1, nobody.address() + " cannot be reached"}, Row{off, 2, "`admin` is off"},
        Row{"/nowhere.yaml", 2, "the configuration has errors"}}) {
    CAPTURE(row.file);
    auto command =
        Process::Start({BuiltProgram("idemproxy"), {"records", "list", "-c", row.file}, {}});
    CHECK(command.WaitForExit() == row.exit_code);
    CHECK(Holds(command.error_output(), row.errors));
  }
}

}  // namespace idem::support
