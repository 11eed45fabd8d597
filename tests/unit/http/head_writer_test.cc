#include "proxy/http/head_writer.h"

#include <doctest/doctest.h>

#include "tests/unit/http/recorder.h"

namespace idem::http {

TEST_CASE("a request's head is written with the framing that follows from its body") {
  RequestHead head;
  head.method = "POST";
  head.target = "/x?y";
  head.fields.Add("Host", "a");
  const struct {
    BodyLength body;
    bool keep_alive;
    const char* framing;
  } rows[] = {
      {{}, true, ""},
      {BodyLength::Known(0), true, "Content-Length: 0\r\n"},
      {BodyLength::Known(18446744073709551615U), false,
       "Content-Length: 18446744073709551615\r\nConnection: close\r\n"},
      {{BodyLength::Kind::kChunked, 0}, true, "Transfer-Encoding: chunked\r\n"},
  };
  for (const auto& row : rows) {
    head.body = row.body;
    head.keep_alive = row.keep_alive;
    std::string text;
    AppendRequestHead(head, text);
    CHECK(text == std::string("POST /x?y HTTP/1.1\r\nHost: a\r\n") + row.framing + "\r\n");
  }
}

TEST_CASE("a response's head is written for the version of its reader") {
  using Kind = BodyLength::Kind;
  const struct {
    std::uint16_t status;
    BodyLength body;
    bool keep_alive;
    Version to;
    const char* expected;
  } rows[] = {
      {200, BodyLength::Known(5), true, Version::kHttp11,
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
      {200, BodyLength::Known(5), true, Version::kHttp10,
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"},
      {200, BodyLength::Known(5), false, Version::kHttp10,
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"},
      {404,
       {Kind::kChunked, 0},
       true,
       Version::kHttp11,
       "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {299,
       {Kind::kUntilClose, 0},
       true,
       Version::kHttp11,
       "HTTP/1.1 299 \r\nConnection: close\r\n\r\n"},
      {204, BodyLength::Known(0), true, Version::kHttp11, "HTTP/1.1 204 No Content\r\n\r\n"},
      {304, BodyLength::Known(9), true, Version::kHttp11,
       "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"},
      {103, {}, false, Version::kHttp11, "HTTP/1.1 103 Early Hints\r\n\r\n"},
  };
  for (const auto& row : rows) {
    ResponseHead head;
    head.status = row.status;
    head.body = row.body;
    head.keep_alive = row.keep_alive;
    std::string text;
    AppendResponseHead(head, row.to, text);
    CHECK(text == row.expected);
  }
}

TEST_CASE("what is written is parsed back to the same") {
  RequestHead head;
  head.method = "PATCH";
  head.target = "/a%2Fb?c";
  head.fields.Add("Host", "h:80");
  head.fields.Add("A", "a \t\"\xff");
  head.fields.Add("a", "");
  head.body.kind = BodyLength::Kind::kChunked;
  std::string text;
  AppendRequestHead(head, text);
  AppendChunk("hello", text);
  AppendChunk(std::string(17, 'x'), text);
  text += kLastChunk;
  CHECK(RequestRecorder::Read(text) ==
        "PATCH /a%2Fb?c chunked|Host=h:80|A=a \t\"\xff|a=|Transfer-Encoding=chunked{hello" +
            std::string(17, 'x') + "}");
}

TEST_CASE("a date has the form of IMF-fixdate") {
  const std::string_view date = HttpDateNow();
  CHECK(date.size() == std::string_view("Sun, 06 Nov 1994 08:49:37 GMT").size());
  CHECK(date.substr(date.size() - 4) == " GMT");
  CHECK(date.substr(3, 2) == ", ");
}

}  // namespace idem::http
