// Responses, as in request_target.cc. The first byte of an input selects the request's method and
// whether the connection ends after the bytes.
#include "proxy/http/characters.h"
#include "proxy/http/head_writer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/make_messages.h"
#include "tests/fuzz/messages.h"

namespace idem::fuzz {

namespace {

using http::BodyLength;
using http::ResponseHead;

void CheckHead(const ResponseHead& head) {
  Demand(head.status >= 100 && head.status <= 599 && head.status != 101, "a status is one");
  Demand(http::AllAre(head.reason, http::kFieldChar), "a reason holds no control", head.reason);
  for (const http::FieldLine line : head.fields) {
    Demand(http::IsToken(line.name), "a field name is a token", line.name);
    Demand(http::AllAre(line.value, http::kFieldChar), "a value holds no control", line.value);
  }
  Demand(head.fields.Count("Content-Length") + head.fields.Count("Transfer-Encoding") <= 1,
         "a message is framed in one way", FieldsText(head.fields));
}

// Writes the response for an HTTP/1.1 client, with the proxy's own version.
std::string Write(const ResponseReading& reading) {
  std::string bytes;
  for (const ResponseHead& head : reading.heads) {
    ResponseHead out = head;
    out.fields = WithoutFraming(head.fields);
    http::AppendResponseHead(out, http::Version::kHttp11, bytes);
  }
  if (reading.heads.back().body.kind != BodyLength::Kind::kChunked) return bytes + reading.body;
  if (!reading.body.empty()) http::AppendChunk(reading.body, bytes);
  return bytes.append(http::kLastChunk);
}

std::string Essence(const ResponseReading& reading) {
  std::string text;
  for (const ResponseHead& head : reading.heads) {
    const std::string_view reason =
        head.reason.empty() ? http::ReasonPhrase(head.status) : std::string_view(head.reason);
    text += std::to_string(head.status) + " " + std::string(reason) +
            FieldsText(WithoutFraming(head.fields)) + ";";
  }
  const ResponseHead& last = reading.heads.back();
  const bool until_close = last.body.kind == BodyLength::Kind::kUntilClose;
  return text + std::to_string(static_cast<int>(last.body.kind)) +
         (last.keep_alive && !until_close ? " keep{" : " close{") + reading.body + "}";
}

}  // namespace

bool Try(std::string_view input) {
  if (input.empty()) return false;
  constexpr http::ParserLimits kLimits{};
  const http::ParserLimits low = LowLimits();
  const auto choice = static_cast<unsigned char>(input.front());
  const std::string_view method = (choice & 1) != 0 ? "HEAD" : "POST";
  const Then then = (choice & 2) != 0 ? Then::kEnd : Then::kOpen;
  input.remove_prefix(1);

  const ResponseReading whole = ReadResponse(method, input, then, {}, low);
  const std::string text = whole.ToText();
  for (const Cuts& cuts : WaysToCut(input)) {
    DemandSame(text, ReadResponse(method, input, then, cuts, low).ToText(),
               "the reading does not depend on the pieces");
  }
  for (const ResponseHead& head : whole.heads) CheckHead(head);
  Demand(whole.complete || !whole.reusable, "only a complete response leaves its connection free");
  if (!whole.complete) return false;

  const std::string written = Write(whole);
  const ResponseReading again = ReadResponse(method, written, Then::kEnd, {}, kLimits);
  Demand(again.complete && again.error.empty(), "what was accepted is accepted as it is written",
         written, again.ToText());
  DemandSame(Essence(whole), Essence(again), "what was accepted says the same when it is written");
  return true;
}

std::string Make(Dice& dice) {
  // Letters keep the corpus readable: with B and C the connection ends after the response to a POST
  // or a HEAD.
  return dice.Pick({"@", "A", "B", "B", "B", "C"}) + MakeResponse(dice);
}

}  // namespace idem::fuzz
