// Stored records. Bytes that Decode() accepts are exactly those that Encode() writes, and an
// encoded record decodes to the same record.
#include <algorithm>

#include "proxy/idempotency/record_codec.h"
#include "tests/fuzz/fuzz_target.h"

namespace idem::fuzz {

namespace {

using idempotency::Claim;
using idempotency::Decode;
using idempotency::Encode;
using idempotency::Milliseconds;
using idempotency::Record;
using idempotency::RecordState;
using idempotency::StoredResponse;

constexpr std::string_view kVisible = "!\"#$%&'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~";
constexpr std::string_view kFieldNames = "abcXYZ019-_!#$%&'*+.^`|~";

bool SameFields(const http::Fields& one, const http::Fields& other) {
  const auto same_line = [](http::FieldLine a, http::FieldLine b) {
    return a.name == b.name && a.value == b.value;
  };
  if (one.size() != other.size()) return false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (!same_line(one[i], other[i])) return false;
  }
  return true;
}

bool SameClaim(const Claim& one, const Claim& other) {
  return one.token == other.token && one.fingerprint == other.fingerprint &&
         one.recipe == other.recipe && one.part_digests == other.part_digests &&
         one.upstream_idempotent == other.upstream_idempotent && one.lease == other.lease &&
         one.unknown_ttl == other.unknown_ttl && one.route == other.route &&
         one.client == other.client;
}

bool SameResponse(const StoredResponse& one, const StoredResponse& other) {
  return one.status == other.status && one.body_kept == other.body_kept && one.body == other.body &&
         SameFields(one.fields, other.fields);
}

bool Same(const Record& one, const Record& other) {
  if ((one.response == nullptr) != (other.response == nullptr)) return false;
  return one.state == other.state && SameClaim(one.claim, other.claim) &&
         one.begun_at == other.begun_at && one.lease_ends_at == other.lease_ends_at &&
         one.expires_at == other.expires_at &&
         (!one.response || SameResponse(*one.response, *other.response));
}

Milliseconds MakeTime(Dice& dice) {
  if (dice.OneIn(4)) return Milliseconds(dice.Below(3));
  return Milliseconds(dice.Below(1U << 31) << dice.Below(31));
}

std::shared_ptr<const StoredResponse> MakeStored(Dice& dice) {
  StoredResponse response;
  response.status = static_cast<std::uint16_t>(200 + dice.Below(400));
  for (std::size_t lines = dice.Below(4); lines > 0; --lines) {
    // A value neither begins nor ends with a blank.
    const std::string value = dice.OneIn(4) ? "" : "v" + dice.Text("a: \t\"\xff%", 6) + "v";
    response.fields.Add("x" + dice.Text(kFieldNames, 5), value);
  }
  response.body_kept = !dice.OneIn(4);
  if (response.body_kept) response.body = dice.Bytes(30);
  return std::make_shared<const StoredResponse>(std::move(response));
}

Record MakeRecord(Dice& dice) {
  Record record;
  record.state = static_cast<RecordState>(dice.Below(3));
  for (auto& byte : record.claim.token.bytes) byte = static_cast<std::uint8_t>(dice.Below(256));
  for (auto& byte : record.claim.fingerprint) byte = static_cast<std::uint8_t>(dice.Below(256));
  record.claim.recipe = "1" + dice.Text(kVisible, 12);
  record.claim.upstream_idempotent = dice.OneIn(2);
  record.claim.lease = MakeTime(dice);
  record.claim.unknown_ttl = MakeTime(dice);
  record.claim.route = dice.OneIn(4) ? "-" : dice.Bytes(6);
  record.claim.client = dice.Text("-% a", 3);
  for (std::size_t digits = dice.Below(5) * 8; digits > 0; --digits) {
    record.claim.part_digests.push_back("0123456789abcdef"[dice.Below(16)]);
  }
  record.begun_at = StoreTime(MakeTime(dice));
  record.lease_ends_at = StoreTime(MakeTime(dice));
  record.expires_at = StoreTime(MakeTime(dice));
  if (record.state == RecordState::kCompleted) record.response = MakeStored(dice);
  return record;
}

}  // namespace

bool Try(std::string_view input) {
  Dice dice(static_cast<unsigned>(std::hash<std::string_view>()(input)));
  const Record made = MakeRecord(dice);
  const std::string encoded = Encode(made);
  const auto decoded = Decode(encoded);
  Demand(decoded && Same(*decoded, made), "a written record reads as what it was", encoded);

  const auto record = Decode(input);
  if (!record) return false;
  DemandSame(Encode(*record), input, "what can be read was written so");
  return true;
}

std::string Make(Dice& dice) { return Encode(MakeRecord(dice)); }

}  // namespace idem::fuzz
