// Requests, read by this proxy and by llhttp. Every request that we accept, llhttp accepts with the
// same reading. (It accepts more than we do.)
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/make_messages.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/second_opinion.h"

namespace idem::fuzz {

namespace {

// If the two differ by intent, later messages cannot be compared.
bool DiffersByIntent(const ReadRequest& ours) {
  const std::string_view method = ours.head.method;
  return !LlhttpKnows(method) || method == "CONNECT";
}

// We reduce absolute-form to the part after the host, and its host replaces Host (RFC 9112, section
// 3.2.2).
void CompareAbsolute(const ReadRequest& ours, const OtherMessage& theirs) {
  constexpr std::string_view kSchemeEnd = "://";
  std::string_view theirs_left = theirs.target;
  const std::size_t scheme = theirs_left.find(kSchemeEnd);
  Demand(scheme != std::string_view::npos, "such a target has a scheme", theirs.target);
  theirs_left.remove_prefix(scheme + kSchemeEnd.size());
  const std::string_view host = ours.head.host();
  Demand(theirs_left.starts_with(host), "the target's host replaces Host", host, theirs.target);
  theirs_left.remove_prefix(host.size());
  std::string_view target = ours.head.target;
  const bool no_path = theirs_left.empty() || theirs_left.front() == '?';
  if (no_path) target.remove_prefix(1);  // `/`, or `*` for the whole server
  DemandSame(target, theirs_left, "the target is the same");
  DemandSameFields(ours.head.fields, theirs, "Host");
}

void CompareTargetAndFields(const ReadRequest& ours, const OtherMessage& theirs) {
  const std::string& target = theirs.target;
  if (target != "*" && !target.starts_with('/')) return CompareAbsolute(ours, theirs);
  DemandSame(ours.head.target, target, "the target is the same");
  DemandSameFields(ours.head.fields, theirs);
}

void Compare(const ReadRequest& ours, const OtherReading& theirs, std::size_t index) {
  Demand(index < theirs.messages.size() && theirs.messages[index].complete,
         "llhttp accepts what we accept", ours.head.method + " " + ours.head.target, theirs.error);
  const OtherMessage& message = theirs.messages[index];
  DemandSame(ours.head.method, message.method, "the method is the same");
  CompareTargetAndFields(ours, message);
  DemandSame(ours.body, message.body, "the body is the same");
}

std::size_t CompleteOnes(const RequestReading& reading) {
  const bool last_is = reading.requests.empty() || reading.requests.back().complete;
  return reading.requests.size() - (last_is ? 0 : 1);
}

std::string TextOf(const ReadRequest& request) {
  RequestReading alone;
  alone.requests.push_back(request);
  return alone.ToText();
}

void CompareWithBlanks(const RequestReading& tabs, const RequestReading& blanks) {
  for (std::size_t i = 0; i < CompleteOnes(tabs); ++i) {
    Demand(i < CompleteOnes(blanks), "a blank is accepted where a tab is");
    DemandSame(WithBlanksForTabs(TextOf(tabs.requests[i])), TextOf(blanks.requests[i]),
               "a tab says what a blank does");
  }
}

}  // namespace

bool Try(std::string_view input) {
  RequestReading ours = ReadRequests(input, {}, http::ParserLimits{});
  if (CompleteOnes(ours) == 0) return false;
  OtherReading theirs = ReadRequestsWithLlhttp(input);
  if (MisreadTab(theirs, input)) {
    const std::string blanks = WithBlanksForTabs(input);
    const RequestReading again = ReadRequests(blanks, {}, http::ParserLimits{});
    CompareWithBlanks(ours, again);
    ours = again;
    theirs = ReadRequestsWithLlhttp(blanks);
  }
  for (std::size_t i = 0; i < CompleteOnes(ours) && !DiffersByIntent(ours.requests[i]); ++i) {
    Compare(ours.requests[i], theirs, i);
  }
  return true;
}

std::string Make(Dice& dice) { return MakeRequests(dice); }

}  // namespace idem::fuzz
