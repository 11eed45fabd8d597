#include "proxy/idempotency/claim_ending.h"

#include <doctest/doctest.h>

#include <vector>

namespace idem::idempotency {

namespace {

constexpr ClaimEnding kRecord = ClaimEnding::kRecord;
constexpr ClaimEnding kRelease = ClaimEnding::kRelease;
constexpr ClaimEnding kUnknown = ClaimEnding::kUnknown;

Policy Backend(bool idempotent, std::vector<StatusOverride> overrides = {}) {
  Policy policy;
  policy.upstream_idempotent = idempotent;
  policy.overrides = std::move(overrides);
  return policy;
}

// One row of "What happens to a claim": statuses from `first` to `last`.
struct Row {
  int first, last;
  ClaimEnding legacy, idempotent;
};

constexpr Row kTable[] = {
    {200, 208, kRecord, kRecord},   {209, 225, kUnknown, kRecord},  {226, 226, kRecord, kRecord},
    {227, 299, kUnknown, kRecord},  {300, 305, kRecord, kRecord},   {306, 306, kUnknown, kRecord},
    {307, 308, kRecord, kRecord},   {309, 399, kUnknown, kRecord},  {400, 400, kRecord, kRecord},
    {401, 401, kRelease, kRelease}, {402, 406, kRecord, kRecord},   {407, 407, kRelease, kRelease},
    {408, 408, kUnknown, kRelease}, {409, 409, kRecord, kRelease},  {410, 417, kRecord, kRecord},
    {418, 420, kUnknown, kRecord},  {421, 421, kRelease, kRelease}, {422, 424, kRecord, kRecord},
    {425, 425, kRelease, kRelease}, {426, 426, kRecord, kRecord},   {427, 427, kUnknown, kRecord},
    {428, 428, kRecord, kRecord},   {429, 429, kRelease, kRelease}, {430, 430, kUnknown, kRecord},
    {431, 431, kRecord, kRecord},   {432, 450, kUnknown, kRecord},  {451, 451, kRecord, kRecord},
    {452, 459, kUnknown, kRecord},  {460, 460, kUnknown, kRelease}, {461, 498, kUnknown, kRecord},
    {499, 499, kUnknown, kRelease}, {500, 501, kRecord, kRelease},  {502, 504, kUnknown, kRelease},
    {505, 508, kRecord, kRelease},  {509, 509, kUnknown, kRelease}, {510, 511, kRecord, kRelease},
    {512, 599, kUnknown, kRelease},
};

}  // namespace

TEST_CASE("every status ends a claim as the table says, for both kinds of backend") {
  int next = 200;
  for (const Row& row : kTable) {
    REQUIRE(row.first == next);  // the rows cover every status
    next = row.last + 1;
    for (int status = row.first; status <= row.last; ++status) {
      CAPTURE(status);
      const UpstreamResult seen = UpstreamResult::Response(static_cast<std::uint16_t>(status));
      CHECK(DecideEnding(Backend(false), seen) == row.legacy);
      CHECK(DecideEnding(Backend(true), seen) == row.idempotent);
    }
  }
  CHECK(next == 600);
}

TEST_CASE("a request of which no byte was written is released") {
  CHECK(DecideEnding(Backend(false), UpstreamResult::Failure(Delivery::kNotSent)) == kRelease);
  CHECK(DecideEnding(Backend(true), UpstreamResult::Failure(Delivery::kNotSent)) == kRelease);
}

TEST_CASE(
    "a request that the backend may have seen is unknown, unless it drops duplicates itself") {
  CHECK(DecideEnding(Backend(false), UpstreamResult::Failure(Delivery::kMaybeSent)) == kUnknown);
  CHECK(DecideEnding(Backend(true), UpstreamResult::Failure(Delivery::kMaybeSent)) == kRelease);
}

TEST_CASE("the configuration overrides a status, and nothing but statuses") {
  const std::vector<StatusOverride> overrides = {{500, 599, kUnknown},
                                                 {503, 503, kRelease},
                                                 {400, 499, kRelease},
                                                 {409, 409, kUnknown},
                                                 {429, 429, kRecord}};
  struct OverrideRow {
    int status;
    ClaimEnding ending;
  };
  const OverrideRow rows[] = {
      {200, kRecord},   // not overridden: the table decides
      {500, kUnknown},  // overridden by its class
      {502, kUnknown},  //
      {503, kRelease},  // an override of one status wins over its class, in any order
      {409, kUnknown},  //
      {429, kRecord},   //
      {404, kRelease},  // overridden by its class
  };
  for (const bool idempotent : {false, true}) {
    const Policy policy = Backend(idempotent, overrides);
    for (const OverrideRow& row : rows) {
      CAPTURE(row.status);
      const UpstreamResult seen = UpstreamResult::Response(static_cast<std::uint16_t>(row.status));
      CHECK(DecideEnding(policy, seen) == row.ending);
    }
    CHECK(DecideEnding(policy, UpstreamResult::Failure(Delivery::kNotSent)) == kRelease);
    CHECK(DecideEnding(policy, UpstreamResult::Failure(Delivery::kMaybeSent)) ==
          (idempotent ? kRelease : kUnknown));
  }
}

}  // namespace idem::idempotency
