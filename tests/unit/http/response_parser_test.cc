#include <doctest/doctest.h>

#include <string>

#include "tests/unit/http/recorder.h"

namespace idem::http {

namespace {

using namespace std::string_literals;
using Then = ResponseRecorder::Then;

struct Row {
  const char* clause;
  const char* method;
  std::string bytes;
  Then then;
  std::string expected;
};

std::string Ok(const std::string& lines, const std::string& body = "") {
  return "HTTP/1.1 200 OK\r\n" + lines + "\r\n" + body;
}

void CheckEverySplit(const Row& row) {
  CAPTURE(row.clause);
  CAPTURE(row.bytes);
  ForEverySplit(row.bytes.size(), [&](const std::vector<std::size_t>& cuts) {
    const std::string got = ResponseRecorder::Read(row.method, row.bytes, row.then, cuts);
    if (got == row.expected) return;
    CAPTURE(cuts.size());
    CHECK(got == row.expected);
  });
}

const std::string kBad = "!502 upstream-malformed";
const std::string kCut = "!502 upstream-reset";

}  // namespace

TEST_CASE("an honest response is read whole, whatever pieces it comes in") {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string plain = "200 5|Content-Length=5{hello} reusable";
  const Row rows[] = {
      {"9112 6.2", "POST", Ok("Content-Length: 5\r\n", "hello"), Then::kOpen, plain},
      {"9112 6.2 (zero)", "POST", Ok("Content-Length: 0\r\n"), Then::kOpen,
       "200 0|Content-Length=0{} reusable"},
      {"9112 7.1", "POST", Ok(chunked, "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), Then::kOpen,
       "200 chunked|Transfer-Encoding=chunked{hello} reusable"},
      {"9110 6.5.1 (trailers are dropped, even those that may not be)", "POST",
       Ok(chunked, "5;a=\"b\"\r\nhello\r\n0;z\r\nSet-Cookie: t\r\nContent-Length: 3\r\n\r\n"),
       Then::kOpen, "200 chunked|Transfer-Encoding=chunked{hello} reusable"},
      {"9112 6.3(8)", "GET", Ok("", "until close"), Then::kEnd, "200 until-close{until close}"},
      {"9112 6.3(8) (empty)", "GET", Ok(""), Then::kEnd, "200 until-close{}"},
      {"9112 6.3(1)", "HEAD", Ok("Content-Length: 5\r\n"), Then::kOpen,
       "200 none|Content-Length=5{} reusable"},
      {"9112 6.3(1)", "HEAD", Ok(chunked), Then::kOpen,
       "200 none|Transfer-Encoding=chunked{} reusable"},
      {"9112 6.3(1)", "HEAD", Ok(""), Then::kOpen, "200 none{} reusable"},
      {"9112 6.3(1)", "POST", "HTTP/1.1 204 No Content\r\n\r\n", Then::kOpen,
       "204 none{} reusable"},
      {"9112 6.3(1)", "GET", "HTTP/1.1 304 \r\nContent-Length: 99\r\n\r\n", Then::kOpen,
       "304 none|Content-Length=99{} reusable"},
      {"9110 15.2", "POST",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
           Ok("Content-Length: 5\r\n", "hello"),
       Then::kOpen, "100;103|Link=x;" + plain},
      {"9110 15 (class)", "GET", "HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n", Then::kOpen,
       "299 0|Content-Length=0{} reusable"},
      {"9112 9.3", "GET", Ok("Connection: close\r\nContent-Length: 0\r\n"), Then::kOpen,
       "200 0|Connection=close|Content-Length=0{}"},
      {"9112 9.3 (1.0)", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Then::kOpen,
       "200 0|Content-Length=0{}"},
      {"9112 4 (obs-text)", "GET", "HTTP/1.1 200 \xe9t\xe9\r\nContent-Length: 0\r\n\r\n",
       Then::kOpen, "200 0|Content-Length=0{} reusable"},
  };
  for (const Row& row : rows) CheckEverySplit(row);
}

TEST_CASE("a response that two readers could read differently is refused") {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string body = "5\r\nhello\r\n0\r\n\r\n";
  const std::string chunked_head = "200 chunked|Transfer-Encoding=chunked{";
  const Row rows[] = {
      {"9112 6.3(3)", "POST", Ok("Content-Length: 5\r\n" + chunked, body), Then::kOpen, kBad},
      {"9112 6.3(3)", "POST", Ok(chunked + "Content-Length: 5\r\n", body), Then::kOpen, kBad},
      {"9112 6.3(5)", "POST", Ok("Content-Length: 5\r\nContent-Length: 2\r\n", "hello"), Then::kEnd,
       kBad},
      {"9112 6.3(5)", "POST", Ok("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), Then::kEnd,
       kBad},
      {"9112 6.3(5)", "POST", Ok("Content-Length: 5, 5\r\n", "hello"), Then::kEnd, kBad},
      {"9112 6.3(5)", "POST", Ok("Content-Length: +5\r\n", "hello"), Then::kEnd, kBad},
      {"9112 6.3(5)", "POST", Ok("Content-Length: -5\r\n", "hello"), Then::kEnd, kBad},
      {"9112 6.3(5)", "POST", Ok("Content-Length: 5x\r\n", "hello"), Then::kEnd, kBad},
      {"9110 8.6", "POST", Ok("Content-Length: 18446744073709551621\r\n", "hello"), Then::kEnd,
       kBad},
      {"9112 6.3(5)", "HEAD", Ok("Content-Length: x\r\n"), Then::kOpen, kBad},
      {"9112 7.1", "POST", Ok(chunked + chunked, body), Then::kOpen, kBad},
      {"9110 8.6 (overflow at the client)", "POST", Ok("Content-Length: 9223372036854775808\r\n"),
       Then::kOpen, kBad},
      {"9110 8.6", "HEAD", Ok("Content-Length: 18446744073709551615\r\n"), Then::kOpen, kBad},
      {"9112 6.3(4)", "POST", Ok("Transfer-Encoding: identity\r\n", "hello"), Then::kEnd, kBad},
      {"9112 6.3(4)", "POST", Ok("Transfer-Encoding: gzip\r\n", "hello"), Then::kEnd, kBad},
      {"9112 6.1", "POST", Ok("Transfer-Encoding: gzip, chunked\r\n", body), Then::kEnd, kBad},
      {"9112 6.1 (1.0)", "POST", "HTTP/1.0 200 OK\r\n" + chunked + "\r\n" + body, Then::kEnd, kBad},
      {"9112 2.2", "POST", Ok("A: a\nB: b\r\nContent-Length: 5\r\n", "hello"), Then::kOpen, kBad},
      {"9112 2.2", "POST", Ok("A: a\rb\r\nContent-Length: 5\r\n", "hello"), Then::kOpen, kBad},
      {"9110 5.5", "POST", Ok("A: a\0b\r\n"s), Then::kOpen, kBad},
      {"9110 5.5", "POST", Ok("A: a\1b\r\n"s), Then::kOpen, kBad},
      {"9112 2.2", "POST", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", Then::kEnd, kBad},
      {"9112 5.2", "POST", Ok("A: a\r\n b\r\n"), Then::kOpen, kBad},
      {"9112 5.1", "POST", Ok("A : a\r\n"), Then::kOpen, kBad},
      {"9112 5", "POST", Ok("A\1: a\r\n"), Then::kOpen, kBad},
      {"9112 5", "POST", Ok("nonsense line\r\n"), Then::kOpen, kBad},
      {"9110 7.8", "POST", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", Then::kOpen,
       kBad},
      {"9112 4", "POST", "this is not http\r\n\r\n", Then::kOpen, kBad},
      {"9112 4 (no end of a line is waited for)", "POST", "\x15\x03"s, Then::kOpen, kBad},
      {"9112 4", "POST", "<html>", Then::kOpen, kBad},
      {"9112 4", "POST", "HTTP/2", Then::kOpen, kBad},
      {"9112 4", "POST", "HTTP/1.1 103 \r\n\r\nx", Then::kOpen, "103;" + kBad},
      {"9112 4", "POST", "HTTP/1.1 abc OK\r\n\r\n", Then::kOpen, kBad},
      {"9112 4", "POST", "HTTP/1.1 2000 OK\r\n\r\n", Then::kOpen, kBad},
      {"9112 4", "POST", "HTTP/1.1 20 OK\r\n\r\n", Then::kOpen, kBad},
      {"9110 15", "POST", "HTTP/1.1 099 OK\r\n\r\n", Then::kOpen, kBad},
      {"9110 15", "POST", "HTTP/1.1 600 OK\r\n\r\n", Then::kOpen, kBad},
      {"9112 4", "POST", "HTTP/2.0 200 OK\r\n\r\n", Then::kOpen, kBad},
      {"9112 4", "POST", "HTTP/1.1 200 O\rK\r\n\r\n", Then::kOpen, kBad},
      {"9112 2.2 (an empty line first)", "POST", "\r\n" + Ok("Content-Length: 0\r\n"), Then::kOpen,
       kBad},
      {"9112 7.1", "POST", Ok(chunked, "5\r\nhello\r\nzz\r\n0\r\n\r\n"), Then::kOpen,
       chunked_head + "hello" + kBad},
      {"9112 7.1", "POST", Ok(chunked, "0x5\r\nhello\r\n0\r\n\r\n"), Then::kOpen,
       chunked_head + kBad},
      {"9112 7.1", "POST", Ok(chunked, "10000000000000005\r\nhello\r\n0\r\n\r\n"), Then::kOpen,
       chunked_head + kBad},
      {"9112 7.1", "POST", Ok(chunked, "5\r\nhelloXX\r\n0\r\n\r\n"), Then::kOpen,
       chunked_head + "hello" + kBad},
      {"9112 5, 7.1.2", "POST", Ok(chunked, "5\r\nhello\r\n0\r\nnonsense\r\n\r\n"), Then::kOpen,
       chunked_head + "hello" + kBad},
  };
  for (const Row& row : rows) CheckEverySplit(row);
}

TEST_CASE("interim responses without end are refused") {
  std::string interims;
  for (int i = 0; i < 65; ++i) interims += "HTTP/1.1 102 \r\n\r\n";
  const std::string got = ResponseRecorder::Read("POST", interims, Then::kOpen);
  CHECK(got.substr(64 * 4) == kBad);
}

TEST_CASE("a response that is cut is no response") {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const Row rows[] = {
      {"9112 8", "POST", "", Then::kEnd, kCut},
      {"9112 8", "POST", "HTTP/1.1 200 OK\r\nContent-Le", Then::kEnd, kCut},
      {"9112 8", "POST", Ok("Content-Length: 10\r\n", "01234"), Then::kEnd,
       "200 10|Content-Length=10{01234" + kCut},
      {"9112 8", "POST", Ok(chunked, "5\r\nhello\r\n"), Then::kEnd,
       "200 chunked|Transfer-Encoding=chunked{hello" + kCut},
      {"9112 8", "POST", Ok(chunked, "5\r\nhello\r\n0\r\n"), Then::kEnd,
       "200 chunked|Transfer-Encoding=chunked{hello" + kCut},
      {"9112 8", "POST", "HTTP/1.1 100 Continue\r\n\r\n", Then::kEnd, "100;" + kCut},
  };
  for (const Row& row : rows) CheckEverySplit(row);
}

TEST_CASE("bytes behind a response make its connection useless, however late they are seen") {
  const std::string more = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON";
  const Row rows[] = {
      {"9112 6.3", "POST", Ok("Content-Length: 5\r\n", "hello") + more, Then::kOpen,
       "200 5|Content-Length=5{hello}"},
      {"9112 6.3(1)", "HEAD", Ok("Content-Length: 64\r\n") + more, Then::kOpen,
       "200 none|Content-Length=64{}"},
      {"9112 6.3(1)", "POST", "HTTP/1.1 204 \r\nContent-Length: 70\r\n\r\n" + more, Then::kOpen,
       "204 none|Content-Length=70{}"},
      {"9112 6.3", "POST", Ok("Content-Length: 0\r\n") + more, Then::kOpen,
       "200 0|Content-Length=0{}"},
      {"9112 9.3", "POST", Ok("Content-Length: 5\r\n", "hello"), Then::kEnd,
       "200 5|Content-Length=5{hello}"},
  };
  for (const Row& row : rows) CheckEverySplit(row);
}

}  // namespace idem::http
