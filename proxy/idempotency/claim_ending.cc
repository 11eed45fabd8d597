#include "proxy/idempotency/claim_ending.h"

#include "proxy/base/invariant.h"

namespace idem::idempotency {

namespace {

constexpr ClaimEnding kRecord = ClaimEnding::kRecord;
constexpr ClaimEnding kRelease = ClaimEnding::kRelease;
constexpr ClaimEnding kUnknown = ClaimEnding::kUnknown;

struct Row {
  std::uint16_t first, last;  // statuses, inclusive
  ClaimEnding legacy;
  ClaimEnding idempotent;
};

// The first row that includes the status decides.
constexpr Row kTable[] = {
    {401, 401, kRelease, kRelease},  // the backend says that it did not act
    {407, 407, kRelease, kRelease},  //
    {421, 421, kRelease, kRelease},  //
    {425, 425, kRelease, kRelease},  //
    {429, 429, kRelease, kRelease},  //
    {408, 408, kUnknown, kRelease},  // a hop before the backend may have given up after the effect
    {460, 460, kUnknown, kRelease},  //
    {499, 499, kUnknown, kRelease},  //
    {502, 504, kUnknown, kRelease},  //
    {409, 409, kRecord, kRelease},   // the backend may still be at work on this key
    {200, 208, kRecord, kRecord},    // the IANA registry gives these to an origin
    {226, 226, kRecord, kRecord},    //
    {300, 305, kRecord, kRecord},    //
    {307, 308, kRecord, kRecord},    //
    {400, 417, kRecord, kRecord},    //
    {421, 426, kRecord, kRecord},    //
    {428, 428, kRecord, kRecord},    //
    {431, 431, kRecord, kRecord},    //
    {451, 451, kRecord, kRecord},    //
    {500, 501, kRecord, kRelease},   //
    {505, 508, kRecord, kRelease},   //
    {510, 511, kRecord, kRelease},   //
    {200, 499, kUnknown, kRecord},   // no registry says what these mean
    {500, 599, kUnknown, kRelease},  // hops make most of them: 520 to 530, 561, 598, 599
};
constexpr Row kNoResponse = {0, 0, kUnknown, kRelease};

ClaimEnding Pick(const Policy& policy, const Row& row) {
  return policy.upstream_idempotent ? row.idempotent : row.legacy;
}

// Returns the override for one status before the override for its class, or nullptr if there is
// none.
const StatusOverride* FindOverride(const Policy& policy, std::uint16_t status) {
  const StatusOverride* narrowest = nullptr;
  for (const StatusOverride& candidate : policy.overrides) {
    if (status < candidate.first || status > candidate.last) continue;
    const bool narrower = narrowest == nullptr ||
                          candidate.last - candidate.first < narrowest->last - narrowest->first;
    if (narrower) narrowest = &candidate;
  }
  return narrowest;
}

ClaimEnding DecideResponse(const Policy& policy, std::uint16_t status) {
  INVARIANT(status >= 200 && status <= 599);
  if (const StatusOverride* found = FindOverride(policy, status)) return found->ending;
  const Row* row = kTable;
  // The last two rows include every status.
  while (status < row->first || status > row->last) ++row;
  return Pick(policy, *row);
}

}  // namespace

ClaimEnding DecideEnding(const Policy& policy, const UpstreamResult& result) {
  switch (result.kind) {
    case UpstreamResult::Kind::kNotSent:
      return kRelease;
    case UpstreamResult::Kind::kNoResponse:
      return Pick(policy, kNoResponse);
    case UpstreamResult::Kind::kResponse:
      break;
  }
  return DecideResponse(policy, result.status);
}

}  // namespace idem::idempotency
