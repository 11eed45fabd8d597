// Requests. Their reading does not depend on the pieces in which they come. An accepted request has
// the same reading after our writer has written it.
#include "proxy/http/characters.h"
#include "proxy/http/head_writer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/make_messages.h"
#include "tests/fuzz/messages.h"

namespace idem::fuzz {

namespace {

using http::BodyLength;
using http::RequestHead;

void CheckHead(const RequestHead& head) {
  Demand(http::IsToken(head.method), "a method is a token", head.method);
  for (const char c : head.target) {
    Demand(c > ' ' && c <= '~' && c != '#', "a target is visible ASCII", head.target);
  }
  for (const http::FieldLine line : head.fields) {
    Demand(http::IsToken(line.name), "a field name is a token", line.name);
    Demand(http::AllAre(line.value, http::kFieldChar), "a value holds no control", line.value);
  }
  const std::size_t lengths = head.fields.Count("Content-Length");
  const std::size_t codings = head.fields.Count("Transfer-Encoding");
  Demand(lengths + codings <= 1, "a message is framed in one way", FieldsText(head.fields));
  Demand((head.body.kind == BodyLength::Kind::kKnown) == (lengths == 1),
         "a known length is a Content-Length's", FieldsText(head.fields));
  Demand((head.body.kind == BodyLength::Kind::kChunked) == (codings == 1),
         "chunks are announced by a Transfer-Encoding", FieldsText(head.fields));
  const std::size_t hosts = head.fields.Count("Host");
  Demand(hosts == 1 || (hosts == 0 && head.version == http::Version::kHttp10), "there is one Host",
         FieldsText(head.fields));
}

std::string Write(const ReadRequest& request) {
  RequestHead head = request.head;
  head.fields = WithoutFraming(head.fields);
  std::string bytes;
  http::AppendRequestHead(head, bytes);
  if (head.body.kind != BodyLength::Kind::kChunked) return bytes + request.body;
  if (!request.body.empty()) http::AppendChunk(request.body, bytes);
  return bytes.append(http::kLastChunk);
}

// Returns the parts that must come back. The writer sets the framing fields and Connection.
std::string Essence(const ReadRequest& request) {
  const RequestHead& head = request.head;
  RequestReading reading;
  reading.requests.push_back(request);
  ReadRequest& kept = reading.requests.back();
  kept.head.fields = WithoutFraming(head.fields);
  // The writer does not write the field with which an HTTP/1.0 client keeps its connection.
  if (head.version == http::Version::kHttp10) kept.head.keep_alive = false;
  return reading.ToText();
}

}  // namespace

bool Try(std::string_view input) {
  constexpr http::ParserLimits kLimits{};
  const http::ParserLimits low = LowLimits();
  const RequestReading whole = ReadRequests(input, {}, low);
  const std::string text = whole.ToText();
  for (const Cuts& cuts : WaysToCut(input)) {
    DemandSame(text, ReadRequests(input, cuts, low).ToText(),
               "the reading does not depend on the pieces");
  }
  bool accepted = false;
  for (const ReadRequest& request : whole.requests) {
    CheckHead(request.head);
    if (!request.complete) continue;
    accepted = true;
    const std::string written = Write(request);
    const RequestReading again = ReadRequests(written, {}, kLimits);
    Demand(again.requests.size() == 1 && again.requests[0].complete && again.between_requests,
           "what was accepted is accepted as it is written", written, again.ToText());
    DemandSame(Essence(request), Essence(again.requests[0]),
               "what was accepted says the same when it is written");
  }
  return accepted;
}

std::string Make(Dice& dice) { return MakeRequests(dice); }

}  // namespace idem::fuzz
