#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/http/recorder.h"

namespace idem::http {

namespace {

using namespace std::string_literals;

struct Row {
  const char* clause;
  std::string bytes;
  std::string expected;
};

// Returns a POST with Host, `lines` and `body` unchanged.
std::string Post(const std::string& lines, const std::string& body = "") {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n" + body;
}

std::string Get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

void CheckEverySplit(const Row& row, const ParserLimits& limits = {}) {
  CAPTURE(row.clause);
  CAPTURE(row.bytes);
  ForEverySplit(row.bytes.size(), [&](const std::vector<std::size_t>& cuts) {
    const std::string got = RequestRecorder::Read(row.bytes, cuts, limits);
    if (got == row.expected) return;
    CAPTURE(cuts.size());
    if (cuts.size() == 1) CAPTURE(cuts[0]);
    CHECK(got == row.expected);
  });
}

const std::string kBad = "!400 bad-request";
const std::string kLacking = "!501 not-implemented";

}  // namespace

TEST_CASE("an honest request is read whole, whatever pieces it comes in") {
  const Row rows[] = {
      {"9112 2.1", Get("/x"), "GET /x none|Host=a{}"},
      {"9112 6.2", Post("Content-Length: 7\r\n", "{\"a\":1}"),
       "POST /x 7|Host=a|Content-Length=7{{\"a\":1}}"},
      {"9112 6.3(7)", Post(""), "POST /x none|Host=a{}"},
      {"9110 8.6 (zero)", Post("Content-Length: 0\r\n"), "POST /x 0|Host=a|Content-Length=0{}"},
      {"9110 8.6 (1*DIGIT)", Post("Content-Length: 007\r\n", "{\"a\":1}"),
       "POST /x 7|Host=a|Content-Length=007{{\"a\":1}}"},
      {"9110 8.6 (decimal)", Post("Content-Length: 010\r\n", "{\"a\":1234}"),
       "POST /x 10|Host=a|Content-Length=010{{\"a\":1234}}"},
      {"9112 5.1 (blanks around a value)", Post("Content-Length:\t7 \t\r\n", "{\"a\":1}"),
       "POST /x 7|Host=a|Content-Length=7{{\"a\":1}}"},
      {"9112 7.1", Post("Transfer-Encoding: chunked\r\n", "7\r\n{\"a\":1}\r\n0\r\n\r\n"),
       "POST /x chunked|Host=a|Transfer-Encoding=chunked{{\"a\":1}}"},
      {"9112 7 (coding names)", Post("TRANSFER-ENCODING:\tCHUNKED\r\n", "0\r\n\r\n"),
       "POST /x chunked|Host=a|TRANSFER-ENCODING=CHUNKED{}"},
      {"9112 7.1 (several, hex of either case)",
       Post("Transfer-Encoding: chunked\r\n",
            "A\r\n0123456789\r\na\r\n0123456789\r\n001\r\nx\r\n000\r\n\r\n"),
       "POST /x chunked|Host=a|Transfer-Encoding=chunked{01234567890123456789x}"},
      {"9112 7.1.1 (extensions)",
       Post("Transfer-Encoding: chunked\r\n", "2;a=b ; c = \"q\\\"\xe9\";d\r\nhi\r\n0;x\r\n\r\n"),
       "POST /x chunked|Host=a|Transfer-Encoding=chunked{hi}"},
      {"9112 7.1.2 (trailers are dropped)",
       Post("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\nX-Trail: 1\r\nY:\r\n\r\n"),
       "POST /x chunked|Host=a|Transfer-Encoding=chunked{hi}"},
      {"9110 5.1 (another name)", Post("Transfer_Encoding: chunked\r\nContent-Length: 1\r\n", "x"),
       "POST /x 1|Host=a|Transfer_Encoding=chunked|Content-Length=1{x}"},
      {"9110 5.5", Post("V: a  b\tc \"q,;\" \\ \xe9\xff =*\r\nE:\r\n"),
       "POST /x none|Host=a|V=a  b\tc \"q,;\" \\ \xe9\xff =*|E={}"},
      {"9110 5.3 (order is kept)", Post("a: 1\r\nB: 2\r\nA: 3\r\n"),
       "POST /x none|Host=a|a=1|B=2|A=3{}"},
      {"9112 2.2 (one empty line first)", "\r\n" + Get("/x"), "GET /x none|Host=a{}"},
      {"9112 2.2 (an empty line behind a body)",
       Post("Content-Length: 1\r\n", "x") + "\r\n" + Get("/y"),
       "POST /x 1|Host=a|Content-Length=1{x}GET /y none|Host=a{}"},
      {"9112 9.3.2 (pipelining)", Get("/1") + Post("Content-Length: 1\r\n", "x") + Get("/2"),
       "GET /1 none|Host=a{}POST /x 1|Host=a|Content-Length=1{x}GET /2 none|Host=a{}"},
      {"9112 6.3 (a body is a body)", Post("Content-Length: 33\r\n", Get("/hidden")),
       "POST /x 33|Host=a|Content-Length=33{GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n}"},
      {"9110 9.1 (case-sensitive)", "post /x HTTP/1.1\r\nHost: a\r\n\r\n", "post /x none|Host=a{}"},
      {"9110 16.1 (any token)", "!F~ /x HTTP/1.1\r\nHost: a\r\n\r\n", "!F~ /x none|Host=a{}"},
      {"9112 9.3 (close)", Post("Connection: x, Close\r\n"),
       "POST /x none close|Host=a|Connection=x, Close{}"},
      {"9112 9.3 (1.0)", "GET /x HTTP/1.0\r\n\r\n", "GET /x none 1.0 close{}"},
      {"9112 9.3 (1.0 kept)", "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
       "GET /x none 1.0|Connection=keep-alive{}"},
      {"9112 9.3 (close wins)", "GET /x HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
       "GET /x none 1.0 close|Connection=keep-alive, close{}"},
      {"9110 10.1.1", Post("Expect: 100-Continue\r\nContent-Length: 1\r\n", "x"),
       "POST /x 1 continue|Host=a|Expect=100-Continue|Content-Length=1{x}"},
      {"9110 10.1.1 (1.0 cannot wait)",
       "POST /x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
       "POST /x 1 1.0 close|Expect=100-continue|Content-Length=1{x}"},
      {"9110 10.1.1 (a list, said twice)",
       Post("Expect: 100-continue, ,100-CONTINUE\r\nExpect: 100-continue\r\nContent-Length: 1\r\n",
            "x"),
       "POST /x 1 continue|Host=a|Expect=100-continue, ,100-CONTINUE|Expect=100-continue|"
       "Content-Length=1{x}"},
      {"9110 10.1.1, 5.6.1 (an empty list)", Post("Expect: ,\r\nExpect:\r\n"),
       "POST /x none|Host=a|Expect=,|Expect={}"},
      {"9110 8.6 (a length may be huge)", Post("Content-Length: 18446744073709551615\r\n"),
       "POST /x 18446744073709551615|Host=a|Content-Length=18446744073709551615{..."},
  };
  for (const Row& row : rows) CheckEverySplit(row);
}

TEST_CASE("a request with doubtful framing is refused, and nothing behind it is a request") {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string body = "7\r\n{\"a\":1}\r\n0\r\n\r\n";
  const Row rows[] = {
      {"9112 6.1, 6.3(3)", Post("Content-Length: 17\r\n" + chunked, body), kBad},
      {"9112 6.1, 6.3(3)", Post(chunked + "Content-Length: 17\r\n", body), kBad},
      {"9112 6.1, 6.3(3)", Post("Content-Length: 0\r\n" + chunked, body), kBad},
      {"9112 6.1, 6.3(3)", Post("Content-Length: 7\r\nTransfer-Encoding: identity\r\n"), kBad},
      {"9112 6.1", Post("Transfer-Encoding: xchunked\r\n", body), kLacking},
      {"9112 6.1", Post("Transfer-Encoding: gzip, chunked\r\n", body), kLacking},
      {"9112 7 (identity is gone)", Post("Transfer-Encoding: identity\r\n"), kLacking},
      {"9112 6.3(4)", Post("Transfer-Encoding: chunked, identity\r\n", body), kBad},
      {"9112 7.1 (once)", Post("Transfer-Encoding: chunked, chunked\r\n", body), kBad},
      {"9112 7.1 (once)", Post(chunked + chunked, body), kBad},
      {"9112 6.1", Post("Transfer-Encoding: identity\r\n" + chunked, body), kBad},
      {"9110 5.6.1", Post("Transfer-Encoding: ,chunked\r\n", body), kBad},
      {"9112 6.1", Post("Transfer-Encoding: chunked;q=1\r\n", body), kBad},
      {"9112 6.1", Post("Transfer-Encoding: chunked x\r\n", body), kBad},
      {"9112 6.1", Post("Transfer-Encoding: \"chunked\"\r\n", body), kBad},
      {"9112 6.1", Post("Transfer-Encoding:\r\n", body), kBad},
      {"9110 5.5", Post("Transfer-Encoding: \vchunked\r\n", body), kBad},
      {"9110 5.5", Post("Transfer-Encoding: chunked\0\r\n"s, body), kBad},
      {"9112 5.1", Post("Transfer-Encoding : chunked\r\n", body), kBad},
      {"9112 6.1 (1.0)", "POST /x HTTP/1.0\r\n" + chunked + "\r\n" + body, kBad},
      {"9112 6.3(5)", Post("Content-Length: 7, 7\r\n", "{\"a\":1}"), kBad},
      {"9112 6.3(5)", Post("Content-Length: 7, 8\r\n", "{\"a\":1}"), kBad},
      {"9112 6.3(5)", Post("Content-Length: 7\r\nContent-Length: 7\r\n", "{\"a\":1}"), kBad},
      {"9112 6.3(5)", Post("Content-Length: 7\r\ncontent-length: 0\r\n", "{\"a\":1}"), kBad},
      {"9110 8.6", Post("Content-Length: +7\r\n", "{\"a\":1}"), kBad},
      {"9110 8.6", Post("Content-Length: -1\r\n"), kBad},
      {"9110 8.6", Post("Content-Length: -0\r\n"), kBad},
      {"9110 8.6", Post("Content-Length: 7 7\r\n"), kBad},
      {"9110 8.6", Post("Content-Length: 0x7\r\n"), kBad},
      {"9110 8.6", Post("Content-Length: 0_7\r\n"), kBad},
      {"9110 8.6", Post("Content-Length: 7abc\r\n"), kBad},
      {"9110 8.6", Post("Content-Length:\r\n"), kBad},
      {"9110 8.6", Post("Content-Length: ,7\r\n"), kBad},
      {"9110 8.6", Post("Content-Length: \"7\"\r\n"), kBad},
      {"9110 8.6 (overflow)", Post("Content-Length: 18446744073709551616\r\n"), kBad},
      {"9110 8.6 (overflow)", Post("Content-Length: 9999999999999999999999999999999999999999\r\n"),
       kBad},
      {"9110 5.5", Post("Content-Length: 7\0\r\n"s), kBad},
      {"9112 9.3.2, 6.3", Post("Content-Length: 7x\r\n", "{\"a\":1}") + Get("/y"), kBad},
  };
  for (const Row& row : rows) CheckEverySplit(row);
}

TEST_CASE("a malformed chunked body is refused at the fault") {
  const std::string head = "POST /x chunked|Host=a|Transfer-Encoding=chunked{";
  const struct {
    const char* clause;
    std::string body;
    std::string read;
  } rows[] = {
      {"9112 7.1", "-7\r\n", ""},
      {"9112 7.1", "+7\r\n", ""},
      {"9112 7.1", "0x7\r\n", ""},
      {"9112 7.1", "g\r\n", ""},
      {"9112 7.1", "\r\n", ""},
      {"9112 7.1", " 7\r\n", ""},
      {"9112 7.1", "7 \r\n", ""},
      {"9112 7.1", "7xyz\r\n", ""},
      {"9112 7.1", ";a\r\n", ""},
      {"9112 7.1 (overflow)", "10000000000000007\r\n", ""},
      {"9112 7.1, 2.2", "7\n{\"a\":1}\r\n", ""},
      {"9112 7.1, 2.2", "7\r{\"a\":1}\r\n", ""},
      {"9112 7.1.1", "7;\r\n", ""},
      {"9112 7.1.1", "7;a=\r\n", ""},
      {"9112 7.1.1", "7;a b\r\n", ""},
      {"9112 7.1.1", "7;a=\"b\r\n", ""},
      {"9112 7.1.1, 2.2", "7;a\nb\r\n", ""},
      {"9112 7.1.1", "7;a=\"\1\"\r\n", ""},
      {"9112 7.1", "2\r\nhiXX", "hi"},
      {"9112 7.1", "2\r\nhi\n0\r\n\r\n", "hi"},
      {"9112 7.1", "2\r\nhi\rX", "hi"},
      {"9112 7.1", "2\r\nhi0\r\n\r\n", "hi"},
      {"9112 7.1, 2.2", "2\r\nhi\r\n0\n\n", "hi"},
      {"9112 7.1.2, 2.2", "2\r\nhi\r\n0\r\nA: b\n\n", "hi"},
      {"9112 7.1.2, 2.2", "2\r\nhi\r\n0\r\n\n", "hi"},
      {"9112 7.1.2, 2.2 (at once)", "2\r\nhi\r\n0\r\n\r\r\n", "hi"},
      {"9112 7.1.2, 2.2 (at once)", "2\r\nhi\r\n0\r\n\rX", "hi"},
      {"9112 5, 7.1.2", "2\r\nhi\r\n0\r\nnonsense\r\n\r\n", "hi"},
      {"9112 5.1", "2\r\nhi\r\n0\r\nX-Trail : 1\r\n\r\n", "hi"},
      {"9112 5.2", "2\r\nhi\r\n0\r\nX-Trail: 1\r\n 2\r\n\r\n", "hi"},
      {"9110 5.5", "2\r\nhi\r\n0\r\nX-Trail: \1\r\n\r\n", "hi"},
      {"9110 6.5.1", "2\r\nhi\r\n0\r\nContent-Length: 3\r\n\r\n", "hi"},
      {"9110 6.5.1", "2\r\nhi\r\n0\r\ntransfer-encoding: xx\r\n\r\n", "hi"},
      {"9110 6.5.1", "2\r\nhi\r\n0\r\nHost: evil\r\n\r\n", "hi"},
      {"9112 7.1", "2\r\nhi\r\n0\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n", "hi"},
  };
  for (const auto& row : rows) {
    CheckEverySplit(
        {row.clause, Post("Transfer-Encoding: chunked\r\n", row.body), head + row.read + kBad});
  }
}

TEST_CASE("malformed lines are refused") {
  const Row rows[] = {
      {"9112 2.2 (line feeds alone)", "POST /x HTTP/1.1\nHost: a\n\n", kBad},
      {"9112 2.2", Post("A: 1\nB: 2\r\n"), kBad},
      {"9112 2.2 (returns alone)", "POST /x HTTP/1.1\rHost: a\r\r\n\r\n", kBad},
      {"9112 2.2", Post("A: a\rb\r\n"), kBad},
      {"9112 2.2", Post("A\rB: a\r\n"), kBad},
      {"9112 2.2", Post("A: b\r\r\n"), kBad},
      {"9112 2.2 (a second empty line)", "\r\n\r\n" + Get("/x"), kBad},
      {"9112 2.2", "\n" + Get("/x"), kBad},
      {"9112 2.2", "\r" + Get("/x"), kBad},
      {"9110 5.5", Post("A: a\0b\r\n"s), kBad},
      {"9110 5.5", Post("A: a\1b\r\n"), kBad},
      {"9110 5.5",
       Post("A: a\x7f"
            "b\r\n"),
       kBad},
      {"9112 5", Post("A\0B: a\r\n"s), kBad},
      {"9112 5", Post("nonsense\r\n"), kBad},
      {"9112 5", Post(": a\r\n"), kBad},
      {"9112 5", Post(":\r\n"), kBad},
      {"9112 5.1", Post("A : a\r\n"), kBad},
      {"9112 5.1", Post("A\t: a\r\n"), kBad},
      {"9112 5", Post("A B: a\r\n"), kBad},
      {"9110 5.6.2", Post("A\1: a\r\n"), kBad},
      {"9110 5.6.2", Post("\xc3\xa9: a\r\n"), kBad},
      {"9112 5.2", Post("A: a\r\n b\r\n"), kBad},
      {"9112 5.2", Post("A: a\r\n\tb\r\n"), kBad},
      {"9112 5.2", Post("A:\r\n b\r\n"), kBad},
      {"9112 5.2", Post("A: a\r\n \r\n"), kBad},
      {"9112 5.2 (hidden)", Post("A: a\r\n Transfer-Encoding: chunked\r\n"), kBad},
      {"9112 2.2 (blank first)", "POST /x HTTP/1.1\r\n Host: a\r\n\r\n", kBad},
      {"9112 5", Post("A\r\nB: a\r\n"), kBad},
      {"9110 7.6.1", Post("Connection: a b\r\n"), kBad},
      {"9112 3", "GET  /x HTTP/1.1\r\nHost: a\r\n\r\n", kBad},
      {"9112 3", "GET\t/x\tHTTP/1.1\r\nHost: a\r\n\r\n", kBad},
      {"9112 3", "GET /x\vHTTP/1.1\r\nHost: a\r\n\r\n", kBad},
      {"9112 3", " GET /x HTTP/1.1\r\nHost: a\r\n\r\n", kBad},
      {"9112 3", "GET /x HTTP/1.1 \r\nHost: a\r\n\r\n", kBad},
      {"9112 3", "GET /x\r\nHost: a\r\n\r\n", kBad},
      {"9112 3 (0.9)", "GET /x\r\n\r\n", kBad},
      {"9112 3.1", "PO(ST /x HTTP/1.1\r\nHost: a\r\n\r\n", kBad},
      {"9112 3.1", "POST\" /x HTTP/1.1\r\nHost: a\r\n\r\n", kBad},
      {"9112 2.3", "GET /x HTTP/1.9\r\nHost: a\r\n\r\n", kBad},
      {"9112 2.3", "GET /x HTTP/2.0\r\nHost: a\r\n\r\n", kBad},
      {"9112 2.3", "GET /x HTTP/11.1\r\nHost: a\r\n\r\n", kBad},
      {"9112 2.3", "GET /x HTTP/+1.1\r\nHost: a\r\n\r\n", kBad},
      {"9112 2.3", "GET /x HTTP/1.10\r\nHost: a\r\n\r\n", kBad},
      {"9112 2.3", "GET /x HTTX/1.1\r\nHost: a\r\n\r\n", kBad},
      {"9112 2.3", "GET /x http/1.1\r\nHost: a\r\n\r\n", kBad},
      {"9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", kBad},
      {"9112 2.2 (TLS on a plain port: no end of a line is waited for)", "\x16"s, kBad},
      {"9112 2.2", "\r\n\x16"s, kBad},
      {"9112 3", " "s, kBad},
      {"9110 10.1.1", Post("Expect: the-unexpected\r\n"), "!417 expectation-failed"},
      {"9110 10.1.1", Post("Expect: y 100-continue\r\nContent-Length: 1\r\n", "x"),
       "!417 expectation-failed"},
      {"9110 10.1.1", Post("Expect: 100-continue\r\nExpect: x\r\n"), "!417 expectation-failed"},
      {"9110 10.1.1", Post("Expect: 100-continue, x\r\n"), "!417 expectation-failed"},
      {"9110 10.1.1", Post("Expect: 100-continue;a=b\r\n"), "!417 expectation-failed"},
  };
  for (const Row& row : rows) CheckEverySplit(row);
}

TEST_CASE("Host names one host, or the request is refused") {
  const auto with_host = [](const std::string& host) {
    return "GET /x HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
  };
  for (const std::string host :
       {"a", "a.b-c_d~e", "a:80", "a:", "", "127.0.0.1:8080", "[::1]", "[::1]:80", "[::]",
        "[1:2:3:4:5:6:7:8]", "[::ffff:1.2.3.4]:", "[v1.x:y]", "[vA0.x]", "a%2Db", "a,b", ":80"}) {
    CheckEverySplit({"9110 7.2", with_host(host), "GET /x none|Host=" + host + "{}"});
  }
  for (const std::string host : {"a b",       "a/b",       "u@a",       "a:b",
                                 "a:80:90",   "[::1",      "::1",       "[]",
                                 "[::1]x",    "[::g/]",    "a\\b",      "[::g]",
                                 "[:::]",     "[:]",       "[1:2]",     "[1:2:3:4:5:6:7:8:9]",
                                 "[12345::]", "[::1.2.3]", "[1.2.3.4]", "[::1%25lo]",
                                 "[v1]",      "[v.x]",     "[vg.x]",    "[v1.]",
                                 "[x.y]",     "a?b",       "a#b",       "a%2",
                                 "a%zz",      "\xc3\xa9",  "a\"",       "<a>"}) {
    CheckEverySplit({"9112 3.2", with_host(host), kBad});
  }
  const Row rows[] = {
      {"9112 3.2 (missing)", "GET /x HTTP/1.1\r\n\r\n", kBad},
      {"9112 3.2 (two)", Post("Host: b\r\n"), kBad},
      {"9112 3.2 (twice the same)", Post("host: a\r\n"), kBad},
      {"9112 3.2 (1.0, two)", "GET /x HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", kBad},
  };
  for (const Row& row : rows) CheckEverySplit(row);
}

TEST_CASE("a target has one of its four forms") {
  for (const std::string target : {"/", "/a/b.c", "/?a=%2F%3d&b=c+d&&x=;y='()*!$,:@/?", "/a%2Fb",
                                   "//a", "/../b", "/a?b?c", "/a;b=c"}) {
    CheckEverySplit({"9112 3.2.1", Get(target), "GET " + target + " none|Host=a{}"});
  }
  CheckEverySplit({"3986 3.4 (as the URL Standard's clients send it)", Get("/x?f[a]={b}|\\^`"),
                   "GET /x?f[a]={b}|\\^` none|Host=a{}"});
  for (const std::string target : {"x",
                                   "*",
                                   "/a b",
                                   "/a#b",
                                   "/%zz",
                                   "/%2",
                                   "/%",
                                   "/a%",
                                   "/\xc3\xa9",
                                   "/a\x7f"
                                   "b",
                                   "/a\"b",
                                   "/<a>",
                                   "/a\\b",
                                   "/a[0]",
                                   "/a|b",
                                   "/a?<",
                                   "a:80",
                                   "?a",
                                   "ftp://a/",
                                   "http:/a",
                                   "http://",
                                   "http:///x",
                                   "http://[",
                                   "http://u@a/",
                                   "http://u:p@a/",
                                   "http://a b/",
                                   "http://a:x/",
                                   "http://:80/",
                                   "http://a/#f",
                                   "http://a\\b/",
                                   "httpx://a/",
                                   "://a"}) {
    CAPTURE(target);
    CheckEverySplit({"9112 3.2", Get(target), kBad});
  }
  const Row rows[] = {
      {"9112 3.2.2", Get("http://b/y?q"), "GET /y?q none|Host=b{}"},
      {"9112 3.2.2", Get("HTTPS://b:80/y"), "GET /y none|Host=b:80{}"},
      {"9112 3.2.1 (empty path)", Get("http://b"), "GET / none|Host=b{}"},
      {"9112 3.2.1 (empty path)", Get("http://b?q"), "GET /?q none|Host=b{}"},
      {"9112 3.2.2 (1.0 without Host)", "GET http://b/y HTTP/1.0\r\n\r\n",
       "GET /y none 1.0 close|Host=b{}"},
      {"9112 3.2.2 (still one Host)", "GET http://b/y HTTP/1.1\r\n\r\n", kBad},
      {"9112 3.2.4", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * none|Host=a{}"},
      {"9112 3.2.4", "OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * none|Host=b{}"},
      {"9112 3.2.4", "OPTIONS http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS / none|Host=b{}"},
      {"9112 3.2.3", "CONNECT b:80 HTTP/1.1\r\nHost: b\r\n\r\n", "CONNECT b:80 none|Host=b{}"},
      {"9112 3.2.3", "CONNECT /x HTTP/1.1\r\nHost: b\r\n\r\n", kBad},
      {"9112 3.2.3", "CONNECT b HTTP/1.1\r\nHost: b\r\n\r\n", kBad},
  };
  for (const Row& row : rows) CheckEverySplit(row);
}

TEST_CASE("each limit refuses what is one byte or line beyond it") {
  ParserLimits limits;
  limits.request_line_bytes = 20;
  limits.header_bytes = 40;
  limits.header_count = 3;
  limits.trailer_bytes = 12;
  limits.chunk_line_bytes = 10;
  limits.chunk_bytes = 18;
  limits.chunk_extension_bytes = 8;
  const auto get = [](std::size_t line_bytes) {
    return "GET /" + std::string(line_bytes - 14, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  const auto field = [](std::size_t section_bytes) {
    return "GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(section_bytes - 14, 'a') + "\r\n\r\n";
  };
  const auto chunked = [](const std::string& body) {
    return "PUT / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
  };
  const std::string chunked_head = "PUT / chunked|Host=|Transfer-Encoding=chunked{";
  const std::string too_large = "!431 headers-too-large";
  const Row rows[] = {
      {"9112 3", get(20), "GET /aaaaaa none|Host=a{}"},
      {"9112 3", get(21), "!414 uri-too-long"},
      {"9112 3", "GET /" + std::string(60, 'a'), "!414 uri-too-long"},
      {"9112 3 (a method longer than any)", std::string(60, 'a'), kLacking},
      {"9112 3", std::string(60, 'a') + " / HTTP/1.1\r\nHost: a\r\n\r\n", kLacking},
      {"9112 2.2", std::string(60, 'a') + "\n", kLacking},
      {"9110 5.4", field(40), "GET / none|Host=a|A=aaaaaaaaaaaaaaaaaaaaaaaaaa{}"},
      {"9110 5.4", field(41), too_large},
      {"9110 5.4", field(42), too_large},
      {"9110 5.4", field(43), too_large},
      {"9110 5.4", "GET / HTTP/1.1\r\nA:\r\nB:\r\nHost:\r\n\r\n", "GET / none|A=|B=|Host={}"},
      {"9110 5.4", "GET / HTTP/1.1\r\nA:\r\nB:\r\nHost:\r\nC:\r\n\r\n", too_large},
      {"9112 7.1.1", chunked("1;abcdefgh\r\nx\r\n0\r\n\r\n"), chunked_head + kBad},
      {"9112 7.1.1", chunked("1;abc\r\nx\r\n1;abc\r\ny\r\n0\r\n\r\n"), chunked_head + "xy}"},
      {"9112 7.1.1", chunked("1;abc\r\nx\r\n1;abcd\r\ny\r\n0\r\n\r\n"), chunked_head + "x" + kBad},
      {"9112 7.1", chunked("0000000001\r\nx\r\n0\r\n\r\n"), chunked_head + "x}"},
      {"9112 7.1", chunked("00000000001\r\nx\r\n0\r\n\r\n"), chunked_head + kBad},
      {"9112 7.1", chunked("12\r\n012345678901234567\r\n0\r\n\r\n"),
       chunked_head + "012345678901234567}"},
      {"9112 7.1", chunked("13\r\n"), chunked_head + "!413 body-too-large"},
      {"9112 7.1.2", chunked("0\r\nA: bcdefgh\r\n\r\n"), chunked_head + "}"},
      {"9112 7.1.2", chunked("0\r\nA: bcdefghi\r\n\r\n"), chunked_head + too_large},
      {"9112 7.1.2", chunked("0\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n"), chunked_head + too_large},
  };
  for (const Row& row : rows) CheckEverySplit(row, limits);
}

TEST_CASE("a body is refused by the size line of the chunk that would make it too large") {
  struct Body final : RequestEvents {
    void OnRequestHead() override {}
    void OnRequestBody(std::string_view bytes) override { text += bytes; }
    void OnRequestEnd() override { text += "}"; }
    std::string text;
  };
  struct Row {
    std::string chunks;
    std::string text;
  };
  const Row rows[] = {
      {"4\r\nabcd\r\n6\r\nefghij\r\n0\r\n\r\n", "abcdefghij}"},
      {"4\r\nabcd\r\n7\r\n", "abcd!413"},
      {"b\r\n", "!413"},
      {"a\r\nabcdefghij\r\n1\r\n", "abcdefghij!413"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.chunks);
    const std::string request =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + row.chunks;
    Body body;
    RequestParser parser(ParserLimits{}, body);
    std::string_view rest = request;
    for (bool again = true; again;) {
      const auto progress = parser.Feed(rest);
      rest.remove_prefix(progress.consumed);
      if (progress.error != nullptr) body.text += "!" + std::to_string(progress.error->status);
      if (parser.in_body() && body.text.empty()) parser.LimitBody(10);
      again = progress.again;
    }
    CHECK(body.text == row.text);
  }
}

TEST_CASE("small chunks that came together are delivered together, and large ones as they are") {
  struct Pieces final : RequestEvents {
    void OnRequestHead() override {}
    void OnRequestBody(std::string_view bytes) override { sizes.push_back(bytes.size()); }
    void OnRequestEnd() override { ended = true; }
    std::vector<std::size_t> sizes;
    bool ended = false;
  };
  const std::string large = "800\r\n" + std::string(2048, 'x') + "\r\n";
  std::string chunks = large;
  for (int i = 0; i < 1000; ++i) chunks += "1;a\r\ny\r\n";
  chunks += large + "0\r\n\r\n";
  const std::string request =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "GET";
  Pieces pieces;
  RequestParser parser(ParserLimits{}, pieces);
  std::string_view rest = request;
  for (bool again = true; again;) {
    const auto progress = parser.Feed(rest);
    CHECK(progress.error == nullptr);
    rest.remove_prefix(progress.consumed);
    again = progress.again;
  }
  CHECK(pieces.sizes == std::vector<std::size_t>{2048, 3048});
  CHECK(pieces.ended);
  CHECK(rest == "GET");
}

TEST_CASE("an end of the connection is between requests or inside one") {
  CHECK(RequestRecorder::Read("").empty());
  CHECK(RequestRecorder::Read("\r\n").empty());
  CHECK(RequestRecorder::Read("G") == "...");
  CHECK(RequestRecorder::Read(Post("Content-Length: 2\r\n", "x")) ==
        "POST /x 2|Host=a|Content-Length=2{x...");
  CHECK(RequestRecorder::Read(Post("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n")) ==
        "POST /x chunked|Host=a|Transfer-Encoding=chunked{hi...");
}

}  // namespace idem::http
