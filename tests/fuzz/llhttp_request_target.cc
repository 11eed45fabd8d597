// Requests, read by us and by llhttp: whatever we accept, it accepts too, and reads the same out of
// it. (It accepts more than we do.)
#include "tests/fuzz/make_messages.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/second_opinion.h"
#include "tests/fuzz/target.h"

namespace idem::fuzz {

namespace {

// Where the two differ by intent, there is nothing to compare from that message on.
bool DiffersByIntent(const ReadRequest& ours) {
  const std::string_view method = ours.head.method;
  return !LlhttpKnows(method) || method == "CONNECT";
}

bool IsAbsolute(std::string_view target) { return target != "*" && !target.starts_with('/'); }

// Absolute-form is reduced by us to what stands behind the host, and its host replaces Host.
void CompareTargets(const ReadRequest& ours, const OtherMessage& theirs) {
  std::string_view target = ours.head.target;
  if (!IsAbsolute(theirs.target)) {
    return DemandSame(target, theirs.target, "the target is the same");
  }
  if (!theirs.target.ends_with(target)) target.remove_prefix(1);  // the `/` or `*` of an empty path
  Demand(theirs.target.ends_with(target), "the target is the same", target, theirs.target);
}

void CompareFields(const ReadRequest& ours, const OtherMessage& theirs) {
  std::size_t count = theirs.fields.size();
  if (IsAbsolute(theirs.target)) {
    return Demand(ours.head.fields.size() - count <= 1, "there are as many fields");
  }
  DemandSame(std::to_string(ours.head.fields.size()), std::to_string(count),
             "there are as many fields");
  for (std::size_t i = 0; i < count; ++i) {
    const http::FieldLine line = ours.head.fields[i];
    std::string_view value = theirs.fields[i].second;
    const std::size_t end = value.find_last_not_of(" \t");  // it keeps the blanks behind a value
    value = value.substr(0, end == std::string_view::npos ? 0 : end + 1);
    DemandSame(line.name, theirs.fields[i].first, "the field's name is the same");
    DemandSame(line.value, value, "the field's value is the same");
  }
}

void Compare(const ReadRequest& ours, const OtherReading& theirs, std::size_t index) {
  Demand(index < theirs.messages.size() && theirs.messages[index].complete,
         "llhttp accepts what we accept", ours.head.method + " " + ours.head.target, theirs.error);
  const OtherMessage& message = theirs.messages[index];
  DemandSame(ours.head.method, message.method, "the method is the same");
  CompareTargets(ours, message);
  CompareFields(ours, message);
  DemandSame(ours.body, message.body, "the body is the same");
}

}  // namespace

bool Try(std::string_view input) {
  const RequestReading ours = ReadRequests(input, {}, http::ParserLimits{});
  if (ours.requests.empty() || !ours.requests.front().complete) return false;
  const OtherReading theirs = ReadRequestsWithLlhttp(input);
  for (std::size_t i = 0; i < ours.requests.size() && ours.requests[i].complete; ++i) {
    if (DiffersByIntent(ours.requests[i])) break;
    const bool unread = i >= theirs.messages.size() || !theirs.messages[i].complete;
    if (unread && (RefusedExtension(theirs, input) || MisreadTab(theirs, input))) break;
    Compare(ours.requests[i], theirs, i);
    if (theirs.switched && i + 1 == theirs.messages.size()) break;
  }
  return true;
}

std::string Make(Dice& dice) { return MakeRequests(dice); }

}  // namespace idem::fuzz
