#include "tests/fuzz/make_messages.h"

#include "proxy/http/head_writer.h"

namespace idem::fuzz {

namespace {

constexpr std::string_view kTokenCharacters = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_.!~*'";
constexpr std::string_view kValueCharacters = "abcABC019 \t\"\\;,=:/()<>@[]{}?\x80\xff";

constexpr std::string_view kLineEnd = "\r\n";

std::string MakeFieldLine(Dice& dice) {
  if (dice.OneIn(3)) {
    return "x" + dice.Text(kTokenCharacters, 8) + ":" + dice.Text(" \t", 2) +
           dice.Text(kValueCharacters, 20);
  }
  return dice.Pick({"Accept: */*", "Connection: keep-alive", "Connection: close, x", "TE: trailers",
                    "Idempotency-Key: \"k-1\"", "Content-Type: application/json", "Via: 1.1 a",
                    "Expect: 100-continue", "Keep-Alive: timeout=5", "Upgrade: websocket",
                    "X-Signature: 0123456789abcdef", "Cookie: a=b; c=d", "Trailer: X-Check",
                    "Transfer_Encoding: chunked", "Date: Sun, 06 Nov 1994 08:49:37 GMT"});
}

// Returns bytes of a body. Some of them look like framing, so that a parser that loses its position
// finds something to read.
std::string MakeData(Dice& dice, std::size_t most) {
  if (!dice.OneIn(3)) return dice.Bytes(most);
  return dice.Bytes(14) +
         dice.Pick({"\r\n0\r\n", "\r\n00\r\n", "\r\n0\r\n\r\n", "\r\n1\r\n", "0\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 204 \r\n\r\n"});
}

std::string MakeExtension(Dice& dice) {
  if (!dice.OneIn(4)) return "";
  return dice.Pick({";a", ";a=b", " ; a = b", ";q=\"x;y\\\"\"", ";a;b=c", "\t;a"});
}

std::string MakeChunks(Dice& dice) {
  std::string chunks;
  for (std::size_t count = dice.Below(4); count > 0; --count) {
    const std::string data = MakeData(dice, 20);
    if (data.empty()) continue;
    std::string chunk;
    http::AppendChunk(data, chunk);
    chunk.insert(chunk.find('\r'), MakeExtension(dice));
    chunks += dice.Pick({"", "", "0", "000"}) + chunk;
  }
  chunks += dice.Pick({"0", "0", "00"}) + MakeExtension(dice) + "\r\n";
  if (dice.OneIn(4)) chunks += dice.Pick({"X-Check: 1\r\n", "a:\r\nb: c\r\n", "Etag: \"x\"\r\n"});
  return chunks.append(kLineEnd);
}

// Returns framing fields, other lines on both sides of them, and the body.
std::string MakeFieldsAndBody(Dice& dice) {
  std::string lines;
  for (std::size_t count = dice.Below(5); count > 0; --count) {
    lines.append(MakeFieldLine(dice)).append(kLineEnd);
  }
  switch (dice.Below(3)) {
    case 0:
      return lines.append(kLineEnd);
    case 1: {
      const std::string body = MakeData(dice, 40);
      const std::string name =
          dice.Pick({"Content-Length:", "Content-Length: ", "content-length:0"});
      return name + std::to_string(body.size()) + "\r\n" + lines + "\r\n" + body;
    }
    default:
      return lines + dice.Pick({"Transfer-Encoding: chunked", "transfer-encoding:\tChunked "}) +
             "\r\n\r\n" + MakeChunks(dice);
  }
}

std::string MakeRequest(Dice& dice) {
  const std::string method =
      dice.Pick({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "M-SEARCH"});
  const std::string target =
      dice.Pick({"/", "/orders", "/a%20b/c?d=e&f[]=g", "/?", "/a;b=c/..//d", "/x?y?z/#"})
          .append(dice.Text("abc/%2.?", 3));
  const std::string empty_line = dice.OneIn(6) ? "\r\n" : "";
  switch (dice.Below(6)) {
    case 0:
      return empty_line + method + " http://" + dice.Pick({"a", "[::1]:80", "a.b:8080", "A%41"}) +
             dice.Pick({"", "/", "?x", "/y?z"}) + " HTTP/1.1\r\nHost: c\r\n" +
             MakeFieldsAndBody(dice);
    case 1:
      return "OPTIONS * HTTP/1.1\r\nhost:\r\n" + MakeFieldsAndBody(dice);
    case 2:
      return empty_line + method + " " + target + " HTTP/1.0\r\n" +
             dice.Pick({"", "Host: a\r\n", "Connection: keep-alive\r\n"}) + MakeFieldsAndBody(dice);
    default:
      return empty_line + method + " " + target +
             " HTTP/1.1\r\nHost: " + dice.Pick({"a", "a:80", "[::1]", "192.0.2.1:443", ""}) +
             "\r\n" + MakeFieldsAndBody(dice);
  }
}

}  // namespace

std::string MakeRequests(Dice& dice) {
  std::string requests = MakeRequest(dice);
  while (dice.OneIn(3)) requests += MakeRequest(dice);
  return requests;
}

std::string MakeResponse(Dice& dice) {
  std::string response;
  while (dice.OneIn(5)) {
    response +=
        dice.Pick({"HTTP/1.1 100 Continue\r\n\r\n",
                   "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "HTTP/1.1 199 \r\n\r\n"});
  }
  const std::string status =
      dice.Pick({"200 OK", "201 Created", "204 No Content", "304 Not Modified", "404 ",
                 "500 x y\tz", "599 \xff", "302 Found"});
  const std::string version = dice.Pick({"HTTP/1.1 ", "HTTP/1.1 ", "HTTP/1.0 "});
  response += version + status + "\r\n" + MakeFieldsAndBody(dice);
  if (dice.OneIn(4)) response += dice.Bytes(8);
  return response;
}

}  // namespace idem::fuzz
