#include "proxy/forward/pooled_upstream.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/log.h"
#include "tests/unit/forward/fixture.h"

namespace idem::forward {
namespace {

using ports::UpstreamProblem;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::Always;
using support::Conversation;
using support::Response;
using support::RunUntil;
using support::ScriptedBackend;

/// Captures the log while it lives, instead of standard output.
class CapturedLog {
 public:
  CapturedLog() {
    log::Flush();
    dup2(fileno(file_.get()), STDOUT_FILENO);
  }
  ~CapturedLog() {
    log::Flush();
    dup2(stdout_, STDOUT_FILENO);
    close(stdout_);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  [[nodiscard]] std::string lines() const {
    log::Flush();
    std::string text(64 * 1024, '\0');
    const ssize_t size = pread(fileno(file_.get()), text.data(), text.size(), 0);
    REQUIRE(size >= 0);
    text.resize(static_cast<std::size_t>(size));
    return text;
  }

 private:
  int stdout_ = dup(STDOUT_FILENO);
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{std::tmpfile(), std::fclose};
};

/// Every row ends without a whole response, and names the result for the claim table.
TEST_CASE(
    "each way to fail is reported as what it is, and whether the backend may have seen a byte") {
  struct Case {
    const char* what;
    ScriptedBackend::Script script;
    UpstreamProblem problem;
    const char* log;
  };
  const auto sends = [](std::string bytes, bool reset) -> ScriptedBackend::Script {
    return [bytes = std::move(bytes), reset](Conversation& talk) {
      talk.Send(bytes);
      reset ? talk.Reset() : talk.Close();
    };
  };
  const std::vector<Case> cases = {
      {"reset before a byte", sends("", true), UpstreamProblem::kReset, "ready failure"},
      {"end before a byte", sends("", false), UpstreamProblem::kReset, "ready failure"},
      {"reset inside the head", sends("HTTP/1.1 200 O", true), UpstreamProblem::kReset,
       "ready failure"},
      {"end inside the head", sends("HTTP/1.1 200 OK\r\nA: b\r\n", false), UpstreamProblem::kReset,
       "ready failure"},
      {"end after an interim head", sends("HTTP/1.1 103 Hints\r\n\r\n", false),
       UpstreamProblem::kReset, "ready 103! failure"},
      {"end inside a body of known length",
       sends("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", false), UpstreamProblem::kReset,
       "ready 200 failure"},
      {"end inside a chunked body",
       sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false),
       UpstreamProblem::kReset, "ready 200 failure"},
      {"reset inside a body that lasts until the end", sends("HTTP/1.1 200 OK\r\n\r\nabc", true),
       UpstreamProblem::kReset, "ready 200 failure"},
      {"not HTTP", sends("SSH-2.0-OpenSSH_9.2\r\n\r\n", false), UpstreamProblem::kMalformed,
       "ready failure"},
      {"two lengths",
       sends("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", false),
       UpstreamProblem::kMalformed, "ready failure"},
      {"switching protocols", sends("HTTP/1.1 101 Go\r\n\r\n", false), UpstreamProblem::kMalformed,
       "ready failure"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    ScriptedBackend backend(one.script);
    World world({backend.address()});
    Heard heard;
    const std::string body = "{}";
    world.Run(heard, Head("POST", http::BodyLength::Known(2)), &body);
    CHECK(heard.failure.problem == one.problem);
    CHECK(heard.failure.delivery == Delivery::kMaybeSent);
    CHECK(heard.log == one.log);
    CHECK(heard.failure.detail.find(backend.address()) == 0);
    CHECK(heard.failure.detail.rfind(backend.address()) == 0);  // once
    CHECK(backend.requests() == 1);
    CHECK(world.upstream->idle_connections() == 0);
    CHECK(world.gate.in_flight() == 0);
  }
}

TEST_CASE(
    "a backend that does not answer in time is cut, not closed, and may have seen the request") {
  for (const bool head_first : {false, true}) {
    CAPTURE(head_first);
    std::atomic<bool> was_cut = false;
    ScriptedBackend backend([&](Conversation& talk) {
      if (head_first) talk.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
      was_cut = talk.WaitForEnd();
      talk.Close();
    });
    UpstreamOptions options;
    options.response_timeout = milliseconds(50);
    World world({backend.address()}, options);
    Heard heard;
    world.Run(heard, Head("GET"));
    CHECK(heard.failure.problem == UpstreamProblem::kTimeout);
    CHECK(heard.failure.delivery == Delivery::kMaybeSent);
    RunUntil(world.loop, [&] { return was_cut.load(); });
  }
}

TEST_CASE("the time for a response is a total, but on a streamed route between two reads") {
  ScriptedBackend backend([](Conversation& talk) {
    talk.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 1000; ++i) {
      talk.Send("x");
      usleep(1500);
    }
  });
  UpstreamOptions options;
  options.response_timeout = milliseconds(1000);  // longer than any delay of a busy machine
  World world({backend.address()}, options);
  Heard total;
  world.Run(total, Head("GET"));
  CHECK(total.failure.problem == UpstreamProblem::kTimeout);
  Heard streamed;
  world.Run(streamed, Head("GET"), nullptr, {.streamed = true});
  CHECK(streamed.log == "ready 200 end");
  CHECK(streamed.body.size() == 1000);
}

TEST_CASE("a refused connection and an unknown name say that nothing was sent") {
  const support::RefusingPort refusing;
  for (const std::string& address : {refusing.address(), std::string("no-such-host.invalid:80"),
                                     std::string("unix:/nowhere/at/all")}) {
    CAPTURE(address);
    World world({address});
    Heard heard;
    world.Run(heard, Head("GET"));
    CHECK(heard.log == "failure");
    CHECK(heard.failure.problem == UpstreamProblem::kUnreachable);
    CHECK(heard.failure.delivery == Delivery::kNotSent);
  }
}

TEST_CASE("what goes out is the head, its framing and the body, and connections are used again") {
  ScriptedBackend backend(Always(Response(201, "made")));
  World world({backend.address()});
  const std::string body = R"({"item":"tea"})";
  for (int i = 0; i < 3; ++i) {
    Heard heard;
    world.Run(heard, Head("POST", http::BodyLength::Known(body.size())), &body);
    CHECK(heard.log == "ready 201 end");
    CHECK(heard.body == "made");
  }
  CHECK(backend.connections() == 1);
  CHECK(backend.requests() == 3);
  const auto request = backend.seen().at(2);
  CHECK(request.head == "POST /orders HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 14");
  CHECK(request.body == body);
  CHECK(world.upstream->idle_connections() == 1);
}

TEST_CASE("responses of every framing are read to their end, and reused where that is allowed") {
  struct Case {
    const char* method;
    std::string response;
    bool close;
    const char* body;
    const char* log;
    bool reused;
  };
  const std::vector<Case> cases = {
      {"GET", Response(200, "abc"), false, "abc", "ready 200 end", true},
      {"GET", Response(200, ""), false, "", "ready 200 end", true},
      {"GET", "HTTP/1.1 204 No\r\n\r\n", false, "", "ready 204 end", true},
      {"GET", "HTTP/1.1 304 No\r\nContent-Length: 7\r\n\r\n", false, "", "ready 304 end", true},
      {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", false, "", "ready 200 end", true},
      {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", false,
       "abc", "ready 200 end", true},
      {"GET", "HTTP/1.1 200 OK\r\n\r\nabc", true, "abc", "ready 200 end", false},
      {"GET", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, "abc", "ready 200 end",
       false},
      {"GET", "HTTP/1.1 100 Go\r\n\r\n" + Response(200, "abc"), false, "abc", "ready 200 end",
       true},
      {"GET", "HTTP/1.1 103 Hint\r\n\r\n" + Response(200, "abc"), false, "abc",
       "ready 103! 200 end", true},
      {"GET", Response(200, "abc", "Connection: close\r\n"), false, "abc", "ready 200 end", false},
      {"GET", Response(200, "abc") + "HTTP/1.1 200 OK\r\n", false, "abc", "ready 200 end", false},
  };
  for (const Case& one : cases) {
    CAPTURE(one.response);
    ScriptedBackend backend([&](Conversation& talk) {
      talk.Send(one.response);
      if (one.close) talk.Close();
    });
    World world({backend.address()});
    for (int i = 0; i < 2; ++i) {
      Heard heard;
      world.Run(heard, Head(one.method));
      CHECK(heard.log == one.log);
      CHECK(heard.body == one.body);
    }
    CHECK(backend.connections() == (one.reused ? 1 : 2));
  }
}

TEST_CASE("a backend that sends nothing but interim heads is given up") {
  ScriptedBackend backend([](Conversation& talk) {
    for (int i = 0; i < 1000; ++i) talk.Send("HTTP/1.1 100 Continue\r\n\r\n");
    talk.WaitForEnd();
  });
  World world({backend.address()});
  Heard heard;
  world.Run(heard, Head("GET"));
  CHECK(heard.failure.problem == UpstreamProblem::kMalformed);
}

TEST_CASE("an idle connection that ends, or says something unasked, is not used again") {
  for (const bool speaks : {false, true}) {
    CAPTURE(speaks);
    ScriptedBackend backend([&](Conversation& talk) {
      talk.Send(Response(200, "abc"));
      if (talk.request().connection > 1) return;
      talk.WaitForRelease();
      speaks ? talk.Send(Response(200, "smuggled")) : talk.Close();
    });
    World world({backend.address()});
    world.Get("abc");
    CHECK(world.upstream->idle_connections() == 1);
    backend.Release();
    RunUntil(world.loop, [&] { return world.upstream->idle_connections() == 0; });
    world.Get("abc");
    CHECK(backend.connections() == 2);
  }
}

TEST_CASE("a claim takes no connection that was idle for claim_idle") {
  ScriptedBackend backend(Always(Response(200, "abc")));
  UpstreamOptions options;
  options.claim_idle = hours(1);
  World world({backend.address()}, options);
  world.Get("abc");
  world.Get("abc", {.claim = true});
  CHECK(backend.connections() == 1);

  options.claim_idle = Duration::zero();
  World strict({backend.address()}, options);
  strict.Get("abc");
  strict.Get("abc", {.claim = true});
  CHECK(backend.connections() == 3);
  strict.Get("abc");
  CHECK(backend.connections() == 3);
}

TEST_CASE("the kernel is asked whether a kept connection has ended before it is used") {
  for (const bool claim : {true, false}) {
    CAPTURE(claim);
    ScriptedBackend backend(Always(Response(200, "abc")));
    UpstreamOptions options;
    options.claim_idle = hours(1);
    World world({backend.address()}, options);
    Heard heard;
    heard.drop_at_end = false;
    world.Start(heard, Head("GET"));
    bool sent_again = false;
    RunUntil(world.loop, [&] {
      if (!heard.over || sent_again) return sent_again;
      backend.CloseConnections();  // inside a turn of the loop, so only the kernel has noticed
      heard.call = world.upstream->Send(Head("POST"), nullptr, {.claim = claim}, heard);
      return sent_again = true;
    });
    heard.over = false;
    RunUntil(world.loop, [&] { return heard.over; });
    CHECK(heard.body == "abcabc");
    CHECK(backend.connections() == 2);
  }
}

TEST_CASE("only with retry_stale, and once, is a request sent again after a kept connection died") {
  struct Case {
    bool retry_stale;
    int dead_connections;
    const char* log;
    int requests;
  };
  for (const auto& [retry_stale, dead_connections, log, requests] :
       {Case{true, 1, "ready 200 end", 3}, Case{true, 2, "ready failure", 3},
        Case{false, 1, "ready failure", 2}}) {
    CAPTURE(retry_stale);
    CAPTURE(dead_connections);
    int answered = 0;
    ScriptedBackend backend([&, dead = dead_connections](Conversation& talk) {
      // Dies on the second request of the first connection, and later on the first request of each.
      const bool dies = answered > 0 && talk.request().connection <= dead;
      ++answered;
      dies ? talk.Reset() : talk.Send(Response(200, "abc"));
    });
    World world({backend.address()});
    world.Get("abc");
    Heard heard;
    world.Run(heard, Head("GET"), nullptr, {.retry_stale = retry_stale});
    CHECK(heard.log == log);
    CHECK(backend.requests() == requests);
  }
}

TEST_CASE("nothing is sent again once a response byte came, or on a fresh connection") {
  ScriptedBackend backend([](Conversation& talk) {
    if (talk.request().number == 1 && talk.request().connection == 1) {
      return talk.Send(Response(200, "abc"));
    }
    talk.Send("H");
    talk.Reset();
  });
  World world({backend.address()});
  world.Get("abc");
  for (int i = 0; i < 2; ++i) {  // on the kept connection, then on a new one
    Heard heard;
    world.Run(heard, Head("GET"), nullptr, {.retry_stale = true});
    CHECK(heard.log == "ready failure");
    CHECK(heard.failure.delivery == Delivery::kMaybeSent);
  }
  CHECK(backend.requests() == 3);
}

TEST_CASE("who says no at the last moment sends nothing, and the connection is kept") {
  ScriptedBackend backend(Always(Response(200, "abc")));
  World world({backend.address()});
  for (const bool drops : {false, true}) {
    CAPTURE(drops);
    Heard heard;
    heard.go = false;
    heard.drop_at_ready = drops;
    world.Start(heard, Head("POST"));
    RunUntil(world.loop, [&] { return !heard.log.empty(); });
    support::RunBriefly(world.loop);
    CHECK(heard.log == "ready ");
    CHECK(world.gate.in_flight() == 0);
    CHECK(world.upstream->idle_connections() == 1);
  }
  world.Get("abc");
  CHECK(backend.connections() == 1);
  CHECK(backend.requests() == 1);
}

TEST_CASE("a call that is dropped cuts its connection, wherever it stands") {
  for (const bool at_head : {false, true}) {
    CAPTURE(at_head);
    std::atomic<bool> was_cut = false;
    ScriptedBackend backend([&](Conversation& talk) {
      if (at_head) talk.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
      was_cut = talk.WaitForEnd();
    });
    World world({backend.address()});
    Heard heard;
    heard.drop_at_head = at_head;
    world.Start(heard, Head("GET"));
    RunUntil(world.loop, [&] { return backend.requests() == 1; });
    if (!at_head) heard.call.reset();
    RunUntil(world.loop, [&] { return was_cut.load(); });
    CHECK_FALSE(heard.over);
    CHECK(world.gate.in_flight() == 0);
    CHECK(world.upstream->calls() == 0);
  }
}

TEST_CASE("keepalive limits the idle connections, and idle_timeout closes them") {
  ScriptedBackend backend([](Conversation& talk) {
    talk.WaitForRelease();
    talk.Send(Response(200, "abc"));
  });
  UpstreamOptions options;
  options.keepalive = 2;
  options.idle_timeout = milliseconds(30);
  World world({backend.address()}, options);
  std::vector<Heard> all(4);
  for (Heard& one : all) world.Start(one, Head("GET"));
  RunUntil(world.loop, [&] { return backend.requests() == 4; });
  backend.Release();
  std::size_t most_idle = 0;
  RunUntil(world.loop, [&] {
    most_idle = std::max(most_idle, world.upstream->idle_connections());
    return std::ranges::all_of(all, [](const Heard& one) { return one.over; });
  });
  CHECK(most_idle <= 2);
  RunUntil(world.loop, [&] { return world.upstream->idle_connections() == 0; });
}

TEST_CASE("beyond max_in_flight calls wait their turn, and no longer than queue_timeout") {
  ScriptedBackend backend([](Conversation& talk) {
    talk.WaitForRelease();
    talk.Send(Response(200, "abc"));
  });
  UpstreamOptions options;
  options.queue_timeout = milliseconds(50);
  World world({backend.address()}, options, 1);
  Heard first, second, third;
  world.Start(first, Head("GET"));
  RunUntil(world.loop, [&] { return backend.requests() == 1; });
  world.Run(second, Head("GET"));
  CHECK(second.log == "failure");
  CHECK(second.failure.problem == UpstreamProblem::kOverloaded);
  CHECK(second.failure.delivery == Delivery::kNotSent);
  world.Start(third, Head("GET"));
  backend.Release();
  RunUntil(world.loop, [&] { return first.over && third.over; });
  CHECK(first.log == "ready 200 end");
  CHECK(third.log == "ready 200 end");
  CHECK(backend.requests() == 2);
}

TEST_CASE(
    "an answer that comes before the request is whole is passed on, and ends the connection") {
  ScriptedBackend backend(
      [](Conversation& talk) {
        talk.Send(Response(413, "too much"));
        talk.WaitForRelease();  // the rest is not read, so the request is never complete
      },
      {.unix_path = {}, .script_before_body = true, .greeting = {}, .receive_buffer_bytes = 4096});
  World world({backend.address()});
  Heard whole;
  const std::string body(16 << 20, 'x');
  world.Run(whole, Head("POST", http::BodyLength::Known(body.size())), &body);
  CHECK(whole.log == "ready 413 end");
  CHECK(whole.body == "too much");

  Heard streamed;
  streamed.drop_at_end = false;
  world.Start(streamed, Head("POST", http::BodyLength{http::BodyLength::Kind::kChunked, 0}));
  streamed.call->SendBody("begun");
  RunUntil(world.loop, [&] { return streamed.over; });
  CHECK(streamed.log == "ready 413 end");
  streamed.call->SendBody("nobody listens");
  streamed.call->EndBody();
  CHECK(world.upstream->idle_connections() == 0);
}

TEST_CASE("bodies are streamed to the backend, chunked or with their length") {
  ScriptedBackend backend(Always(Response(200, "ok")));
  World world({backend.address()});
  const std::string piece(100'000, 'y');
  for (const bool chunked : {true, false}) {
    CAPTURE(chunked);
    Heard heard;
    world.Start(heard, Head("POST", chunked ? http::BodyLength{http::BodyLength::Kind::kChunked, 0}
                                            : http::BodyLength::Known(3 * piece.size())));
    heard.call->SendBody(piece);  // before there is a connection
    CHECK(heard.call->unsent_bytes() >= piece.size());
    RunUntil(world.loop, [&] { return heard.sent > 0 && heard.call->unsent_bytes() == 0; });
    heard.call->SendBody(piece);
    heard.call->SendBody("");
    heard.call->SendBody(piece);
    heard.call->EndBody();
    RunUntil(world.loop, [&] { return heard.over; });
    CHECK(heard.log == "ready 200 end");
    CHECK((backend.seen().back().body == piece + piece + piece));  // not printed
  }
  CHECK(backend.connections() == 1);
  CHECK(world.upstream->idle_connections() == 1);
}

TEST_CASE("a slow backend makes the body wait, and says when it was taken") {
  std::atomic<std::size_t> received = 0;
  ScriptedBackend backend(
      [&](Conversation& talk) {
        talk.WaitForRelease();
        while (received < (8 << 20)) {
          const std::size_t got = talk.ReadSome(1 << 20).size();
          if (got == 0) return;
          received += got;
        }
        talk.Send(Response(200, "ok"));
      },
      {.unix_path = {}, .script_before_body = true, .greeting = {}, .receive_buffer_bytes = 4096});
  World world({backend.address()});
  Heard heard;
  world.Start(heard, Head("POST", http::BodyLength::Known(8 << 20)));
  RunUntil(world.loop, [&] { return backend.requests() == 1; });
  heard.call->SendBody(std::string(8 << 20, 'z'));
  CHECK(heard.call->unsent_bytes() > 0);
  support::RunBriefly(world.loop);
  CHECK(heard.sent == 0);
  backend.Release();
  RunUntil(world.loop, [&] { return heard.over; });
  CHECK(heard.sent == 1);
  CHECK(heard.log == "ready 200 end");
}

TEST_CASE("a paused response waits in the backend, and is whole when it is resumed") {
  const std::string large(32 << 20, 'w');  // more than the kernel's buffers on both sides can hold
  // Made before the request, because making it can take longer than response_timeout.
  const std::string response = Response(200, large);
  std::atomic<bool> all_sent = false;
  ScriptedBackend backend([&](Conversation& talk) {
    talk.Send(response);
    all_sent = true;
  });
  UpstreamOptions options;
  options.response_timeout = milliseconds(1000);
  World world({backend.address()}, options);
  Heard heard;
  heard.pause_at_head = true;
  world.Start(heard, Head("GET"), nullptr, {.streamed = true});
  RunUntil(world.loop, [&] { return heard.status == 200; });
  // Waits longer than response_timeout: the backend is not late while its response is not read.
  const BootTime begun = world.loop.Now();
  RunUntil(world.loop, [&] { return world.loop.Now() - begun > milliseconds(1200); });
  CHECK_FALSE(heard.over);
  CHECK_FALSE(all_sent);
  heard.pause_at_body = true;
  while (!heard.over) {
    const std::size_t before = heard.body.size();
    heard.call->ResumeResponse();
    RunUntil(world.loop, [&] { return heard.over || heard.body.size() > before; });
  }
  CHECK(heard.log == "ready 200 end");
  CHECK((heard.body == large));  // not printed
}

TEST_CASE("a refusing address is left for the next before the first byte, and then set aside") {
  const support::RefusingPort refusing;
  ScriptedBackend backend(Always(Response(200, "abc", "Connection: close\r\n")));
  World world({refusing.address(), backend.address()});
  CapturedLog log;
  for (int i = 0; i < 4; ++i) world.Get("abc");
  CHECK(log.lines().find("upstream_address_set_aside") != std::string::npos);
  CHECK(log.lines().find(refusing.address() + ": Connection refused") != std::string::npos);
  CHECK(backend.requests() == 4);
}

TEST_CASE("no second address is tried once a byte was written") {
  ScriptedBackend dying([](Conversation& talk) { talk.Reset(); });
  ScriptedBackend healthy(Always(Response(200, "abc", "Connection: close\r\n")));
  World world({dying.address(), healthy.address()});
  int failed = 0;
  for (int i = 0; i < 4; ++i) {
    Heard heard;
    world.Run(heard, Head("POST"), nullptr, {.retry_stale = true});
    if (heard.log == "ready failure") ++failed;
  }
  CHECK(failed == dying.requests());
  CHECK(failed == 2);  // the addresses alternate
  CHECK(healthy.requests() == 2);
}

TEST_CASE("a name and a Unix socket lead to the backend too") {
  ScriptedBackend tcp(Always(Response(200, "abc")));
  World named({"localhost:" + std::to_string(tcp.port())});
  named.Get("abc");

  const std::string path = "/tmp/idem-forward-" + std::to_string(getpid());
  ScriptedBackend local(
      Always(Response(200, "abc")),
      {.unix_path = path, .script_before_body = false, .greeting = {}, .receive_buffer_bytes = 0});
  World world({"unix:" + path});
  world.Get("abc");
  world.Get("abc");
  CHECK(local.connections() == 1);
}

TEST_CASE("the longest wait counts every wait that a call may have") {
  World literal({"127.0.0.1:1"});
  CHECK(literal.upstream->longest_wait() == seconds(1 + 3 * 2 + 30));
  World named({"localhost:1"});
  CHECK(named.upstream->longest_wait() == seconds(1 + 2 + 3 * 2 + 30));
}

}  // namespace
}  // namespace idem::forward
