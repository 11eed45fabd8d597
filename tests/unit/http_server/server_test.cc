#include "proxy/http_server/server.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/http_server/scripted.h"

namespace idem::http_server {

namespace {

std::string Get(std::string_view path, std::string_view lines = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}

std::string Post(std::string_view path, std::string_view body, std::string_view lines = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(lines) + "\r\n" + std::string(body);
}

std::string Ok(std::string_view body, std::string_view lines = "") {
  return "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(lines) + "\r\n" + std::string(body);
}

std::string Closing(std::string_view status_line, std::string_view body) {
  return "HTTP/1.1 " + std::string(status_line) +
         "\r\nDate: D\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + std::string(body);
}

constexpr std::string_view kCloseLine = "Connection: close\r\n";

}  // namespace

TEST_CASE("a kept connection carries one request after another") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  for (int i = 0; i < 3; ++i) {
    client.Send(Post("/echo", "hello"));
    test.Expect(client, Ok("hello"));
    client.Send(Get("/echo"));
    test.Expect(client, Ok(""));
  }
  CHECK(test.server->connection_count() == 1);
  CHECK(test.connections == 1);
}

TEST_CASE("a request that comes in single bytes is served") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  for (const char byte : Post("/echo", "hello")) {
    client.Send({&byte, 1});
    support::RunBriefly(test.loop);
  }
  test.Expect(client, Ok("hello"));
}

TEST_CASE("pipelined requests are answered in order, each begun when the one before was answered") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Get("/hold") + Post("/echo", "2") + "\r\n" + Get("/hold") + Post("/chunks", "4"));
  test.ExpectLog("GET /hold;");
  support::RunBriefly(test.loop);
  CHECK(test.service.log == "GET /hold;");
  test.service.last().Answer(200, "1");
  test.ExpectLog("GET /hold;POST /echo;end;GET /hold;");
  test.service.last().Answer(200, "3");
  test.Expect(client, Ok("1") + Ok("2") + Ok("3") +
                          "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
}

TEST_CASE("a hundred pipelined requests are all answered") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  std::string requests;
  std::string answers;
  for (int i = 0; i < 100; ++i) {
    requests += Post("/echo", std::to_string(i));
    answers += Ok(std::to_string(i));
  }
  client.Send(requests);
  test.Expect(client, answers);
}

TEST_CASE("nothing behind a request that closes is begun") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Post("/echo", "x", kCloseLine) + Get("/echo"));
  test.Expect(client, Closing("200 OK", "x"));
  test.ExpectEnd(client);
  CHECK(test.service.log == "POST /echo;end;");
}

TEST_CASE("a malformed request is answered, and nothing behind it is begun") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Get("/echo") + "GET /x HTTP/1.1\r\n\r\n" + Get("/echo"));
  test.Expect(client, Ok("") + Closing("400 Bad Request", "bad-request"));
  test.ExpectEnd(client);
  CHECK(test.service.log == "GET /echo;end;bad 400;");
}

TEST_CASE("a malformed body is reported to the handler, which may still answer") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhiXX");
  test.Expect(client, Closing("400 Bad Request", ""));
  test.ExpectEnd(client);
  CHECK(test.service.log == "POST /echo;error 400;");
}

TEST_CASE("a client of HTTP/1.0 gets no chunks, and is kept only if it asks") {
  ServerOnTest test;
  RawClient kept(test.server->bound());
  kept.Send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  test.Expect(kept, Ok("", "Connection: keep-alive\r\n"));
  kept.Send("GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  test.Expect(kept, "HTTP/1.1 200 OK\r\nDate: D\r\nConnection: close\r\n\r\nabcde");
  test.ExpectEnd(kept);

  RawClient closed(test.server->bound());
  closed.Send("GET /echo HTTP/1.0\r\n\r\n");
  test.Expect(closed, Ok("", kCloseLine));
  test.ExpectEnd(closed);
}

TEST_CASE("an answer to HEAD has the length of the body that it lacks") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send("HEAD /hold HTTP/1.1\r\nHost: a\r\n\r\n" + Get("/echo"));
  test.ExpectLog("HEAD /hold;");
  test.service.last().Answer(200, "12345");
  test.Expect(client, "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\n\r\n" + Ok(""));
}

TEST_CASE("a 204 ends with its head, whatever is sent behind it") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Get("/hold") + Get("/echo"));
  test.ExpectLog("GET /hold;");
  test.service.last().Answer(204, "12345");
  test.Expect(client, "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n" + Ok(""));
}

TEST_CASE("100 Continue is sent when the handler wants the body and the client waits with it") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  const std::string request = Post("/hold", "hello", "Expect: 100-continue\r\n");
  client.Send(request.substr(0, request.size() - 5));
  test.ExpectLog("POST /hold;");
  support::RunBriefly(test.loop);
  client.Poll();
  CHECK(client.received.empty());
  test.service.last().stream->ResumeBody();
  test.Expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hello");
  test.ExpectLog("POST /hold;end;");
  test.service.last().Answer(200, test.service.last().body);
  test.Expect(client, Ok("hello"));

  client.Send(Post("/echo", "at once", "Expect: 100-continue\r\n"));
  test.Expect(client, Ok("at once"));
}

TEST_CASE("an interim response goes before the final one, but not to HTTP/1.0") {
  ServerOnTest test;
  http::ResponseHead hints;
  hints.status = 103;
  hints.fields.Add("Link", "x");
  const struct {
    std::string version;
    std::string expected;
  } rows[] = {{"HTTP/1.1", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + Ok("", kCloseLine)},
              {"HTTP/1.0", Ok("", kCloseLine)}};
  for (const auto& row : rows) {
    test.service.log.clear();
    RawClient client(test.server->bound());
    client.Send("GET /hold " + row.version + "\r\nHost: a\r\nConnection: close\r\n\r\n");
    test.ExpectLog("GET /hold;");
    test.service.last().stream->SendInterim(hints);
    test.service.last().Answer(200, "");
    test.Expect(client, row.expected);
  }
}

TEST_CASE("a head that is sent alone does not wait for its body") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Get("/hold"));
  test.ExpectLog("GET /hold;");
  test.service.last().SendHead(200, http::BodyLength::Known(2));
  test.Expect(client, "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 2\r\n\r\n");
  test.service.last().stream->SendBody("ok");
  test.service.last().End();
  test.Expect(client, "ok");
}

TEST_CASE("an early answer drops a body that is here, and closes on one that is not") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Post("/early", "whole") + Get("/echo"));
  test.Expect(client,
              "HTTP/1.1 413 Content Too Large\r\nDate: D\r\nContent-Length: 2\r\n\r\nno" + Ok(""));

  client.Send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\npart");
  test.Expect(client, Closing("413 Content Too Large", "no"));
  // Bytes that are still on their way do not reset the connection under the answer.
  for (int i = 0; i < 10; ++i) {
    client.Send(std::string(10000, 'x'));
    support::RunBriefly(test.loop);
  }
  test.ExpectEnd(client);
}

TEST_CASE("a client that ends its side is still answered, all that it has sent") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Post("/hold", "x") + Get("/hold") + "GET /hold HTTP/1.1");
  client.EndWriting();
  test.ExpectLog("POST /hold;");
  support::RunBriefly(test.loop);
  test.service.last().Answer(200, "1");
  test.ExpectLog("POST /hold;GET /hold;");
  test.service.last().Answer(200, "2");
  test.Expect(client, Ok("1") + Ok("2"));
  test.ExpectEnd(client);
  support::RunUntil(test.loop, [&] { return test.connections == 0; });
}

TEST_CASE("the last answer to a client that has ended its side says that it is the last") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Post("/hold", "x"));
  client.EndWriting();
  test.ExpectLog("POST /hold;");
  support::RunBriefly(test.loop);
  test.service.last().Answer(200, "1");
  test.Expect(client, Closing("200 OK", "1"));
  test.ExpectEnd(client);
  support::RunUntil(test.loop, [&] { return test.connections == 0; });
}

TEST_CASE("a client that ends inside the body has sent no request") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart");
  test.ExpectLog("POST /echo;");
  client.EndWriting();
  test.Expect(client, Closing("400 Bad Request", ""));
  test.ExpectEnd(client);
  CHECK(test.service.log == "POST /echo;error 400;");
}

TEST_CASE("a client that ends inside the head, or between requests, is let go in silence") {
  ServerOnTest test;
  for (const std::string sent : {"", "GET /x HTTP/1.1\r\nHo"}) {
    RawClient client(test.server->bound());
    client.Send(sent);
    client.EndWriting();
    test.ExpectEnd(client);
  }
  support::RunUntil(test.loop, [&] { return test.server->connection_count() == 0; });
  CHECK(test.connections == 0);
  CHECK(test.service.log.empty());
}

TEST_CASE("a handler learns that its client has gone") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Get("/hold"));
  test.ExpectLog("GET /hold;");
  client.Reset();
  test.ExpectLog("GET /hold;gone;");
  support::RunUntil(test.loop, [&] { return test.server->connection_count() == 0; });
}

TEST_CASE("an answer that cannot be completed is cut, not ended") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Get("/hold"));
  test.ExpectLog("GET /hold;");
  test.service.last().SendHead(200, {.kind = http::BodyLength::Kind::kUntilClose});
  test.service.last().stream->SendBody("half");
  test.service.last().stream->Abort();
  support::RunUntil(test.loop, [&] {
    client.Poll();
    return client.ended || client.reset;
  });
  CHECK(client.reset);
}

TEST_CASE("a paused body waits, and goes on where it was") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  const std::string request = Post("/hold", "hello world");
  client.Send(request.substr(0, request.size() - 6));
  test.ExpectLog("POST /hold;");
  CHECK(test.service.last().body.empty());
  test.service.last().stream->ResumeBody();
  support::RunUntil(test.loop, [&] { return test.service.last().body == "hello"; });
  test.service.last().stream->PauseBody();
  client.Send(" world");
  support::RunBriefly(test.loop);
  CHECK(test.service.last().body == "hello");
  test.service.last().stream->ResumeBody();
  test.ExpectLog("POST /hold;end;");
  CHECK(test.service.last().body == "hello world");
  test.service.last().Answer(200, "");
  test.Expect(client, Ok(""));
}

TEST_CASE("a slow reader holds what it has not read, and its handler learns when it did") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Get("/hold"));
  test.ExpectLog("GET /hold;");
  test.service.last().SendHead(200, {.kind = http::BodyLength::Kind::kUntilClose});
  std::size_t sent = 0;
  const std::string piece(65536, 'x');
  do {
    test.service.last().stream->SendBody(piece);
    sent += piece.size();
  } while (test.service.last().stream->unsent_bytes() == 0);
  CHECK(test.service.last().stream->unsent_bytes() <= piece.size() + 100);
  std::size_t read = 0;
  support::RunUntil(test.loop, [&] {
    client.Poll();
    read += client.received.size();
    client.received.clear();
    return test.service.log == "GET /hold;drained;" && read > sent;
  });
  CHECK(test.service.last().stream->unsent_bytes() == 0);
  test.service.last().End();
}

TEST_CASE("a client that sends requests and reads no answers is not served without end") {
  Options options;
  options.unsent_bytes_max = 1000;
  ServerOnTest test(options);
  RawClient client(test.server->bound());
  const std::string body(50000, 'x');
  client.Send(Get("/hold"));
  test.ExpectLog("GET /hold;");
  for (;;) {
    client.Send(Get("/hold"));
    support::RunBriefly(test.loop);
    const std::size_t begun = test.service.log.size();
    test.service.last().Answer(200, body);
    support::RunBriefly(test.loop);
    if (test.service.log.size() == begun) break;  // the next one waits
  }
  const std::size_t begun = test.service.log.size();
  support::RunUntil(test.loop, [&] {
    client.Poll();
    client.received.clear();
    return test.service.log.size() > begun;
  });
  test.service.last().Answer(200, "");
}

TEST_CASE("a client that goes with more requests sent than are read is let go") {
  for (const bool answered_whole : {true, false}) {
    ServerOnTest test;
    RawClient client(test.server->bound());
    client.Send(Get("/hold"));
    test.ExpectLog("GET /hold;");
    for (int i = 0; i < 8; ++i) {
      client.Send(std::string(16 * 1024, 'x'));
      support::RunBriefly(test.loop);
    }
    client.Reset();
    support::RunBriefly(test.loop);
    if (answered_whole) {
      test.service.last().Answer(200, "");
    } else {
      test.service.last().SendHead(200, {.kind = http::BodyLength::Kind::kChunked});
      test.service.last().stream->SendBody("half");
      test.ExpectLog("GET /hold;gone;");
    }
    support::RunUntil(test.loop, [&] { return test.server->connection_count() == 0; });
  }
}

TEST_CASE("half a head is answered 408, and an idle connection is closed in silence") {
  Options options;
  options.header_timeout = std::chrono::milliseconds(30);
  options.idle_timeout = std::chrono::milliseconds(60);
  ServerOnTest test(options);
  RawClient slow(test.server->bound());
  slow.Send(Get("/echo") + "GET /x HTTP/1.1\r\nHo");
  test.Expect(slow, Ok("") + Closing("408 Request Timeout", "request-timeout"));
  test.ExpectEnd(slow);
  CHECK(test.service.log == "GET /echo;end;bad 408;");
  RawClient idle(test.server->bound());
  test.ExpectEnd(idle);
}

TEST_CASE("a body that does not come is a timeout, one that is not wanted is not") {
  Options options;
  options.body_timeout = std::chrono::milliseconds(30);
  ServerOnTest test(options);
  RawClient client(test.server->bound());
  client.Send("POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\npart");
  test.ExpectLog("POST /hold;");
  Ticket later;
  bool waited = false;
  later = test.loop.After(std::chrono::milliseconds(100), [&] { waited = true; });
  support::RunUntil(test.loop, [&] { return waited; });
  CHECK(test.service.log == "POST /hold;");
  test.service.last().stream->ResumeBody();
  test.Expect(client, Closing("408 Request Timeout", ""));
  test.ExpectEnd(client);
  CHECK(test.service.log == "POST /hold;error 408;");
}

TEST_CASE("a client that takes nothing of its answer is cut") {
  Options options;
  options.write_timeout = std::chrono::milliseconds(30);
  ServerOnTest test(options);
  RawClient client(test.server->bound());
  client.Send(Get("/hold"));
  test.ExpectLog("GET /hold;");
  test.service.last().SendHead(200, {.kind = http::BodyLength::Kind::kUntilClose});
  const std::string piece(65536, 'x');
  do {
    test.service.last().stream->SendBody(piece);
  } while (test.service.last().stream->unsent_bytes() == 0);
  test.ExpectLog("GET /hold;gone;");
  support::RunUntil(test.loop, [&] { return test.server->connection_count() == 0; });
}

TEST_CASE("a connection beyond the limit gets 503, and those before it are served") {
  Options options;
  options.connections_max = 1;
  ServerOnTest test(options);
  RawClient first(test.server->bound());
  first.Send(Get("/hold"));
  test.ExpectLog("GET /hold;");
  auto& held = test.service.last();
  RawClient second(test.server->bound());
  test.Expect(second, Closing("503 Service Unavailable", "overloaded"));
  test.ExpectEnd(second);
  CHECK(test.connections == 1);
  held.Answer(200, "");
  test.Expect(first, Ok(""));
  first.EndWriting();
  support::RunUntil(test.loop, [&] { return test.connections == 0; });
  RawClient third(test.server->bound());
  third.Send(Get("/echo"));
  test.Expect(third, Ok(""));
}

TEST_CASE("at the limit the connection that is idle for longest makes room for a new one") {
  Options options;
  options.connections_max = 3;
  ServerOnTest test(options);
  RawClient busy(test.server->bound());
  RawClient silent(test.server->bound());
  RawClient kept(test.server->bound());
  support::RunUntil(test.loop, [&] { return test.connections == 3; });
  silent.Send(Get("/echo"));
  test.Expect(silent, Ok(""));
  kept.Send(Get("/echo"));
  test.Expect(kept, Ok(""));
  busy.Send(Get("/hold"));
  support::RunUntil(test.loop, [&] { return test.service.log.ends_with("GET /hold;"); });
  auto& held = test.service.last();

  RawClient fourth(test.server->bound());  // replaces the silent one
  fourth.Send(Get("/echo"));
  test.Expect(fourth, Ok(""));
  test.ExpectEnd(silent);
  kept.Send(Get("/echo"));  // is now the last to become idle
  test.Expect(kept, Ok(""));
  RawClient half(test.server->bound());  // replaces the fourth
  half.Send("GET");
  test.ExpectEnd(fourth);
  RawClient last(test.server->bound());  // replaces the kept one: half a head is not idle
  last.Send(Get("/echo"));
  test.Expect(last, Ok(""));
  test.ExpectEnd(kept);
  CHECK(test.connections == 3);
  held.Answer(200, "");
  test.Expect(busy, Ok(""));
}

TEST_CASE("a drain closes idle connections at once and busy ones after their answer") {
  ServerOnTest test;
  RawClient idle(test.server->bound());
  RawClient busy(test.server->bound());
  idle.Send(Get("/echo"));
  test.Expect(idle, Ok(""));
  busy.Send(Get("/hold"));
  support::RunUntil(test.loop, [&] { return test.service.log == "GET /echo;end;GET /hold;"; });
  test.server->Drain();
  test.ExpectEnd(idle);
  test.service.last().Answer(200, "");
  test.Expect(busy, Closing("200 OK", ""));
  test.ExpectEnd(busy);
  idle.EndWriting();
  busy.EndWriting();
  support::RunUntil(test.loop, [&] { return test.server->connection_count() == 0; });
}

TEST_CASE("a server that is destroyed calls its handlers and cuts their clients") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  client.Send(Get("/hold"));
  test.ExpectLog("GET /hold;");
  // One of its turns is still posted.
  test.service.last().SendHead(200, http::BodyLength::Known(2));
  test.server.reset();
  CHECK(test.service.log == "GET /hold;gone;");
  CHECK(test.connections == 0);
  support::RunUntil(test.loop, [&] {
    client.Poll();
    return client.reset;
  });
}

TEST_CASE("new limits hold from the next request on") {
  ServerOnTest test;
  RawClient client(test.server->bound());
  RawClient busy(test.server->bound());
  client.Send(Get("/echo", "A: b\r\n"));
  test.Expect(client, Ok(""));
  busy.Send(Get("/hold"));
  test.ExpectLog("GET /echo;end;GET /hold;");
  Options options;
  options.parser.header_count = 1;
  test.server->SetOptions(options);
  test.service.last().Answer(200, "");
  test.Expect(busy, Ok(""));
  client.Send(Get("/echo", "A: b\r\n"));
  test.Expect(client, Closing("431 Request Header Fields Too Large", "headers-too-large"));
  test.ExpectEnd(client);
  busy.Send(Get("/echo", "A: b\r\n"));
  test.Expect(busy, Closing("431 Request Header Fields Too Large", "headers-too-large"));
}

}  // namespace idem::http_server
