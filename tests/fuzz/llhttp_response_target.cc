// Responses, read by this proxy and by llhttp, as in llhttp_request_target.cc. The first byte of an
// input selects the request's method.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/make_messages.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/second_opinion.h"

namespace idem::fuzz {

namespace {

// llhttp treats a framing field in the trailers as a field of the head. We drop it unread (RFC
// 9110, section 6.5.1), because the message is framed by then.
bool RefusedTrailer(const OtherReading& theirs, const OtherMessage& message) {
  const bool about_framing = theirs.error.find("Content-Length") != std::string::npos ||
                             theirs.error.find("Transfer-Encoding") != std::string::npos;
  return message.head_complete && !message.complete && about_framing;
}

// Compares our `index`-th head; the last one has the body.
void Compare(const ResponseReading& ours, const OtherReading& theirs, std::size_t index) {
  const http::ResponseHead& head = ours.heads[index];
  Demand(index < theirs.messages.size(), "llhttp accepts what we accept", ours.ToText(),
         theirs.error);
  const OtherMessage& message = theirs.messages[index];
  Demand(message.complete || RefusedTrailer(theirs, message), "llhttp accepts what we accept",
         ours.ToText(), theirs.error);
  DemandSame(std::to_string(head.status), std::to_string(message.status), "the status is the same");
  DemandSameFields(head.fields, message);
  const bool last = index + 1 == ours.heads.size();
  DemandSame(last ? std::string_view(ours.body) : "", message.body, "the body is the same");
}

}  // namespace

bool Try(std::string_view input) {
  if (input.empty()) return false;
  const std::string_view method = (input.front() & 1) != 0 ? "HEAD" : "POST";
  input.remove_prefix(1);
  ResponseReading ours = ReadResponse(method, input, Then::kEnd, {}, http::ParserLimits{});
  if (!ours.complete) return false;
  OtherReading theirs = ReadResponsesWithLlhttp(method, input);
  if (MisreadTab(theirs, input)) {
    const std::string blanks = WithBlanksForTabs(input);
    const ResponseReading again =
        ReadResponse(method, blanks, Then::kEnd, {}, http::ParserLimits{});
    DemandSame(WithBlanksForTabs(ours.ToText()), again.ToText(), "a tab says what a blank does");
    ours = again;
    theirs = ReadResponsesWithLlhttp(method, blanks);
  }
  for (std::size_t i = 0; i < ours.heads.size(); ++i) Compare(ours, theirs, i);
  return true;
}

std::string Make(Dice& dice) { return dice.Pick({"B", "B", "B", "C"}) + MakeResponse(dice); }

}  // namespace idem::fuzz
