#include "proxy/idempotency/advice.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace idem::idempotency {

namespace {

constexpr ProblemKind kKinds[] = {ProblemKind::kMalformed,  ProblemKind::kRefused,
                                  ProblemKind::kNotNow,     ProblemKind::kMismatch,
                                  ProblemKind::kInProgress, ProblemKind::kOutcomeUnknown,
                                  ProblemKind::kNotKept,    ProblemKind::kUpstreamFailed};

struct Standing {
  const char* text;
  RecordStanding record;
  std::uint16_t status;
};

constexpr Standing kStandings[] = {
    {"none", RecordStanding::kNone, 0},       {"executing", RecordStanding::kExecuting, 0},
    {"unknown", RecordStanding::kUnknown, 0}, {"looked up", RecordStanding::kLookedUp, 0},
    {"200", RecordStanding::kCompleted, 200}, {"307", RecordStanding::kCompleted, 307},
    {"404", RecordStanding::kCompleted, 404}, {"408", RecordStanding::kCompleted, 408},
    {"409", RecordStanding::kCompleted, 409}, {"499", RecordStanding::kCompleted, 499},
    {"500", RecordStanding::kCompleted, 500}};

// One word for each cell, in the order of kKinds: what a caller is told that something protects, or
// of whose request nothing was written.
struct Row {
  const char* standing;
  const char* advice;
};
constexpr Row kTable[] = {
    // malformed refused not now  mismatch in prog. unknown  not kept upstream
    {"none", "correct never same-key settle same-key settle never same-key"},
    {"executing", "correct never same-key settle same-key settle never same-key"},
    {"unknown", "correct never same-key settle same-key settle never settle"},
    {"looked up", "correct never same-key settle same-key same-key never same-key"},
    {"200", "correct never same-key never same-key settle never same-key"},
    {"307", "correct never same-key never same-key settle never same-key"},
    {"404", "correct never same-key correct same-key settle never same-key"},
    {"408", "correct never same-key settle same-key settle never same-key"},
    {"409", "correct never same-key settle same-key settle never same-key"},
    {"499", "correct never same-key settle same-key settle never same-key"},
    {"500", "correct never same-key settle same-key settle never same-key"}};

std::string Told(Circumstances at) {
  std::string text;
  for (const ProblemKind kind : kKinds) {
    at.problem = kind;
    if (!text.empty()) text.push_back(' ');
    text.append(AdviceText(Advise(at)));
  }
  return text;
}

}  // namespace

TEST_CASE("every cell of the advice, with a record or before the first byte") {
  REQUIRE(std::size(kTable) == std::size(kStandings));
  for (std::size_t i = 0; i < std::size(kTable); ++i) {
    const Standing& standing = kStandings[i];
    CAPTURE(standing.text);
    REQUIRE(std::string(kTable[i].standing) == standing.text);
    for (int bits = 0; bits < 8; ++bits) {
      const Circumstances at{.record = standing.record,
                             .recorded_status = standing.status,
                             .written = (bits & 1) != 0,
                             .repeatable = (bits & 2) != 0,
                             .upstream_idempotent = (bits & 4) != 0};
      CAPTURE(bits);
      const bool unprotected = standing.record == RecordStanding::kNone && bits == 1;
      CHECK(IsUnprotected(at) == unprotected);
      if (!unprotected) CHECK(Told(at) == kTable[i].advice);
    }
  }
}

TEST_CASE("after the first byte, without a record, every problem of a payment has to be settled") {
  CHECK(Told({.written = true}) == "settle settle settle settle settle settle settle settle");
}

TEST_CASE("the methods that RFC 9110 calls safe or idempotent, in their own case") {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
    CHECK(IsRepeatable(method));
  }
  for (const char* method : {"POST", "PATCH", "put", "CONNECT", "LOCK", ""}) {
    CHECK_FALSE(IsRepeatable(method));
  }
}

TEST_CASE("a refusal is a 4xx of an origin") {
  for (const int status : {400, 402, 404, 410, 422, 451})
    CHECK(IsRefusal(static_cast<std::uint16_t>(status)));
  for (const int status : {200, 303, 399, 408, 409, 460, 499, 500, 503}) {
    CHECK_FALSE(IsRefusal(static_cast<std::uint16_t>(status)));
  }
}

}  // namespace idem::idempotency
