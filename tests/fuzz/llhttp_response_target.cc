// Responses, read by us and by llhttp, as llhttp_request_target.cc. The first byte of an input
// chooses what is answered.
#include <algorithm>

#include "tests/fuzz/make_messages.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/second_opinion.h"
#include "tests/fuzz/target.h"

namespace idem::fuzz {

namespace {

// llhttp reads a framing field in the trailers as if it stood in the head. We drop it, unread
// (RFC 9110, section 6.5.1): the message is framed by then.
bool RefusedTrailer(const OtherReading& theirs, const OtherMessage& message) {
  const bool about_framing = theirs.error.find("Content-Length") != std::string::npos ||
                             theirs.error.find("Transfer-Encoding") != std::string::npos;
  return message.head_complete && !message.complete && about_framing;
}

// An interim response has no body, whatever it says (RFC 9112, section 6.3): llhttp drops the body
// too, but reads the digits of the next Content-Length behind those of this one.
bool HasInterimLength(const ResponseReading& ours) {
  return std::any_of(ours.heads.begin(), ours.heads.end() - 1, [](const http::ResponseHead& head) {
    return head.fields.Count("Content-Length") != 0;
  });
}

// At the `index`-th of our heads; the last one has the body.
void Compare(const ResponseReading& ours, const OtherReading& theirs, std::size_t index) {
  const http::ResponseHead& head = ours.heads[index];
  Demand(index < theirs.messages.size(), "llhttp accepts what we accept", ours.ToText(),
         theirs.error);
  const OtherMessage& message = theirs.messages[index];
  Demand(message.complete || RefusedTrailer(theirs, message), "llhttp accepts what we accept",
         ours.ToText(), theirs.error);
  DemandSame(std::to_string(head.status), std::to_string(message.status), "the status is the same");
  DemandSame(std::to_string(head.fields.size()), std::to_string(message.fields.size()),
             "there are as many fields");
  const bool last = index + 1 == ours.heads.size();
  DemandSame(last ? std::string_view(ours.body) : "", message.body, "the body is the same");
}

}  // namespace

bool Try(std::string_view input) {
  if (input.empty()) return false;
  const std::string_view method = (input.front() & 1) != 0 ? "HEAD" : "POST";
  input.remove_prefix(1);
  const ResponseReading ours = ReadResponse(method, input, Then::kEnd, {}, http::ParserLimits{});
  if (!ours.complete) return false;
  if (HasInterimLength(ours)) return true;
  const OtherReading theirs = ReadResponsesWithLlhttp(method, input);
  if (RefusedExtension(theirs, input) || MisreadTab(theirs, input)) return true;
  for (std::size_t i = 0; i < ours.heads.size(); ++i) Compare(ours, theirs, i);
  return true;
}

std::string Make(Dice& dice) { return dice.Pick({"B", "B", "B", "C"}) + MakeResponse(dice); }

}  // namespace idem::fuzz
