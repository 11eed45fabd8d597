// Tests how a running proxy reacts to signals.
#include <doctest/doctest.h>

#include <csignal>
#include <string>

#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"

namespace idem::support {

namespace {

using support::Always;
using support::Conversation;
using support::Response;
using support::ScriptedBackend;

std::string Yaml(const std::string& upstream) {
  return "store: { type: memory }\nworkers: 2\nroutes:\n  - path: /orders\n    upstream: http://" +
         upstream + "\n    idempotency: {}\n";
}

std::string PostText(const std::string& key) {
  return RequestText("POST", "/orders", {{"Idempotency-Key", key}}, "{}");
}

std::uint16_t ListeningPort(Process& proxy) {
  const std::string line = proxy.WaitForLine("\"event\":\"listening\"");
  return static_cast<std::uint16_t>(std::stoi(line.substr(line.find("127.0.0.1:") + 10)));
}

ScriptedBackend::Script AnswerWhenReleased() {
  return [](Conversation& talk) {
    talk.WaitForRelease();
    talk.Send(Response(201, "the old answer"));
  };
}

}  // namespace

TEST_CASE("what runs during a reload ends at its own backend, and the old connections go") {
  ScriptedBackend old_backend(AnswerWhenReleased());
  ScriptedBackend new_backend(Always(Response(201, "new")));
  RunningProxy proxy(Yaml(old_backend.address()));
  HttpClient caller(proxy.port());
  caller.Send(PostText("k-1"));
  REQUIRE(old_backend.WaitForRequests(1));
  proxy.Reload(Yaml(new_backend.address()), "\"event\":\"reloaded\"");
  CHECK(AskOnce(proxy.port(), "POST", "/orders", {{"Idempotency-Key", "k-2"}}, "{}").body == "new");
  old_backend.Release();
  CHECK(caller.ReadResponse("POST").body == "the old answer");
  const auto again = AskOnce(proxy.port(), "POST", "/orders", {{"Idempotency-Key", "k-1"}}, "{}");
  CHECK(again.body == "the old answer");
  CHECK(proxy.Stop() == 0);
}

TEST_CASE("a reload does not listen where another process does") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml(backend.address()));
  RunningProxy other(Yaml(backend.address()));
  const std::string theirs = "127.0.0.1:" + std::to_string(other.port());
  proxy.Reload("listen: [\"127.0.0.1:0\", \"" + theirs + "\"]\n" + Yaml(backend.address()),
               "\"event\":\"reload_refused\"");
  CHECK(proxy.process().output().find(theirs) != std::string::npos);
  CHECK(proxy.process().output().find("\"event\":\"reloaded\"") == std::string::npos);
  CHECK(AskOnce(proxy.port(), "GET", "/orders", {}, "").status == 201);
}

TEST_CASE("a reload that is asked for during a start is made as soon as it serves") {
  ScriptedBackend backend(Always(Response(201, "made")));
  const TempFolder folder;
  const std::string yaml =
      "listen: 127.0.0.1:0\nadmin: off\nworkers: 1\nstore: { type: embedded, timeout: 20s, path: " +
      folder.path() + "/db }\nroutes:\n  - path: /orders\n    upstream: http://" +
      backend.address() + "\n";
  const auto start = [&] {
    const std::string file = folder.Write("proxy.yaml", yaml);
    return Process::Start({BuiltProgram("idemproxy"), {"run", "-c", file}, {}});
  };
  Process first = start();
  first.WaitForLine("\"event\":\"listening\"");
  Process next = start();
  next.WaitForLine("\"event\":\"store_owned_by_another\"");
  folder.Write("proxy.yaml",
               yaml + "  - path: /new\n    upstream: http://" + backend.address() + "\n");
  next.Signal(SIGHUP);
  first.Signal(SIGTERM);
  const std::uint16_t port = ListeningPort(next);
  next.WaitForLine("\"event\":\"reloaded\"");
  CHECK(AskOnce(port, "GET", "/new", {}, "").status == 201);
}

TEST_CASE("a reload while draining is refused, and a second SIGTERM leaves at once") {
  ScriptedBackend backend(AnswerWhenReleased());
  RunningProxy proxy(Yaml(backend.address()));
  HttpClient caller(proxy.port());
  caller.Send(PostText("k-1"));
  REQUIRE(backend.WaitForRequests(1));
  proxy.process().Signal(SIGTERM);
  proxy.process().WaitForLine("\"event\":\"draining\"");
  proxy.process().Signal(SIGHUP);
  proxy.process().WaitForLine("\"event\":\"reload_refused\"");
  proxy.process().Signal(SIGTERM);
  proxy.process().WaitForLine("\"event\":\"stopped_at_once\"");
  CHECK(proxy.process().WaitForExit() == 1);
  backend.Release();
}

TEST_CASE("a reader of the log that ends does not end the proxy") {
  constexpr const char* kScript = R"(
    mkfifo "$FOLDER/log"
    {
      while read -r line; do
        echo "$line"
        case $line in *'"event":"listening"'*) break ;; esac
      done
      exec <&-
      echo 'the reader has gone'
    } <"$FOLDER/log" &
    exec "$PROXY" run -c "$FOLDER/proxy.yaml" >"$FOLDER/log"
  )";
  ScriptedBackend backend(Always(Response(201, "made")));
  const TempFolder folder;
  folder.Write("proxy.yaml", "listen: 127.0.0.1:0\nadmin: off\n" + Yaml(backend.address()));
  auto proxy = Process::Start(
      {"sh", {"-c", kScript}, {{"FOLDER", folder.path()}, {"PROXY", BuiltProgram("idemproxy")}}});
  const std::uint16_t port = ListeningPort(proxy);
  proxy.WaitForLine("the reader has gone");
  for (const char* key : {"k-1", "k-2", "k-1"}) {
    CHECK(AskOnce(port, "POST", "/orders", {{"Idempotency-Key", key}}, "{}").status == 201);
  }
  proxy.Signal(SIGTERM);
  CHECK(proxy.WaitForExit() == 0);
}

TEST_CASE("what the grace cuts off has its line in the log") {
  ScriptedBackend backend(AnswerWhenReleased());
  RunningProxy proxy("shutdown_grace: 100ms\n" + Yaml(backend.address()));
  HttpClient caller(proxy.port());
  caller.Send(PostText("k-1"));
  REQUIRE(backend.WaitForRequests(1));
  proxy.process().Signal(SIGTERM);
  proxy.process().WaitForLine("\"event\":\"drain_incomplete\"");
  const std::string line = proxy.process().WaitForLine("\"event\":\"request\"");
  CHECK(line.find("\"status\":null,\"decision\":\"unknown\"") != std::string::npos);
  proxy.process().WaitForExit();
  backend.Release();
}

}  // namespace idem::support
