#include "proxy/idempotency/record_codec.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/hex.h"

namespace idem::idempotency {

namespace {

using std::chrono::milliseconds;

StoreTime At(std::int64_t ms) { return StoreTime(milliseconds(ms)); }

Claim SampleClaim() {
  Claim claim;
  for (std::size_t i = 0; i < claim.token.bytes.size(); ++i)
    claim.token.bytes[i] = static_cast<std::uint8_t>(0xa0 + i);
  claim.fingerprint = Sha256::Of("order 1");
  claim.recipe = "1:raw:content-type:";
  claim.lease = milliseconds(45'000);
  claim.unknown_ttl = milliseconds(2'592'000'000);
  claim.route = "orders";
  claim.client = "shop";
  return claim;
}

StoredResponse SampleResponse() {
  StoredResponse response;
  response.status = 201;
  response.fields.Add("Content-Type", "application/json");
  response.fields.Add("X-Part", "1");
  response.fields.Add("Empty", "");
  response.fields.Add("x-part", "2: b");
  response.body = R"({"order":{"id":"7"}})";
  return response;
}

std::shared_ptr<const StoredResponse> Shared(StoredResponse response) {
  return std::make_shared<const StoredResponse>(std::move(response));
}

std::vector<Record> SampleRecords() {
  std::vector<Record> records;
  records.push_back(MakeExecuting(SampleClaim(), At(1'700'000'000'000)));
  records.push_back(MakeUnknown(SampleClaim(), At(1'700'000'000'000), At(1'700'000'045'000),
                                At(1'700'000'050'000)));
  Claim odd = SampleClaim();
  odd.upstream_idempotent = true;
  odd.route = "/orders, new";
  odd.client = "-";
  odd.part_digests = "0123456789abcdef";
  records.push_back(MakeCompleted(odd, At(5), At(45'005), Shared(SampleResponse()),
                                  milliseconds(86'400'000), At(9)));
  StoredResponse every_byte = SampleResponse();
  every_byte.body.clear();
  for (int byte = 0; byte < 256; ++byte) every_byte.body.push_back(static_cast<char>(byte));
  records.push_back(
      MakeCompleted(odd, At(5), At(45'005), Shared(every_byte), milliseconds(1), At(9)));
  StoredResponse not_kept;
  not_kept.status = 200;
  not_kept.body_kept = false;
  Claim bare;
  bare.recipe = "r";
  records.push_back(MakeCompleted(bare, At(0), At(0), Shared(not_kept), milliseconds(0), At(0)));
  return records;
}

void CheckEqual(const Record& a, const Record& b) {
  CHECK(a.state == b.state);
  CHECK(a.claim.token == b.claim.token);
  CHECK(a.claim.fingerprint == b.claim.fingerprint);
  CHECK(a.claim.recipe == b.claim.recipe);
  CHECK(a.claim.upstream_idempotent == b.claim.upstream_idempotent);
  CHECK(a.claim.lease == b.claim.lease);
  CHECK(a.claim.unknown_ttl == b.claim.unknown_ttl);
  CHECK(a.claim.route == b.claim.route);
  CHECK(a.claim.client == b.claim.client);
  CHECK(a.claim.part_digests == b.claim.part_digests);
  CHECK(a.begun_at == b.begun_at);
  CHECK(a.lease_ends_at == b.lease_ends_at);
  CHECK(a.expires_at == b.expires_at);
  REQUIRE((a.response == nullptr) == (b.response == nullptr));
  if (!a.response) return;
  CHECK(a.response->status == b.response->status);
  CHECK(a.response->body_kept == b.response->body_kept);
  CHECK(a.response->body == b.response->body);
  REQUIRE(a.response->fields.size() == b.response->fields.size());
  for (std::size_t i = 0; i < a.response->fields.size(); ++i) {
    CHECK(a.response->fields[i].name == b.response->fields[i].name);
    CHECK(a.response->fields[i].value == b.response->fields[i].value);
  }
}

// What is accepted at all must be what Encode() writes for it.
bool RefusedOrExact(const std::string& bytes) {
  const Result<Record> record = Decode(bytes);
  return record ? Encode(*record) == bytes : record.error().code == ErrorCode::kCorrupt;
}

}  // namespace

TEST_CASE("a record survives its byte form, with its fields in order and every byte of its body") {
  for (const Record& record : SampleRecords()) {
    const std::string bytes = Encode(record);
    CAPTURE(bytes);
    const Result<Record> read = Decode(bytes);
    REQUIRE(read.has_value());
    CheckEqual(record, *read);
    CHECK(Encode(*read) == bytes);
  }
}

TEST_CASE("the byte form is the one that the header draws") {
  const Claim claim = SampleClaim();
  const std::string print = ToHex(claim.fingerprint);
  CHECK(Encode(MakeExecuting(claim, At(1'000))) ==
        "idemproxy/1 executing a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 46000 1000 2592046000 " + print +
            " 1:raw:content-type: 0 45000 2592000000 orders shop 0 0 0 0\n");
  CHECK(Encode(MakeUnknown(claim, At(1'000), At(46'000), At(2'000))) ==
        "idemproxy/1 unknown a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 46000 1000 2592002000 " + print +
            " 1:raw:content-type: 0 45000 2592000000 orders shop 0 0 0 0\n");
  CHECK(Encode(MakeCompleted(claim, At(1'000), At(46'000), Shared(SampleResponse()),
                             milliseconds(500), At(2'000))) ==
        "idemproxy/1 completed a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 46000 1000 2500 " + print +
            " 1:raw:content-type: 0 45000 2592000000 orders shop 201 1 68 20\n"
            "Content-Type: application/json\r\nX-Part: 1\r\nEmpty: \r\nx-part: 2: b\r\n\r\n"
            R"({"order":{"id":"7"}})");
}

TEST_CASE("the rest of a record is its byte form but for the six words that a server writes") {
  for (const Record& record : SampleRecords()) {
    const std::string rest = EncodeRest(record);
    const std::string bytes = Encode(record);
    REQUIRE(bytes.ends_with(rest));
    const std::string_view words = std::string_view(bytes).substr(0, bytes.size() - rest.size());
    CHECK(std::count(words.begin(), words.end(), ' ') == 6);
    CHECK(words.ends_with(' '));
  }
}

TEST_CASE("a record with part digests has one word more, and one without is read as ever") {
  Claim claim = SampleClaim();
  const std::string print = ToHex(claim.fingerprint);
  const std::string before =
      "idemproxy/1 executing a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 46000 1000 2592046000 " + print +
      " 1:raw:content-type: 0 45000 2592000000 orders shop 0 0 0 0";
  claim.part_digests = "00000001000000020000000300000004aaaaaaaa";
  CHECK(Encode(MakeExecuting(claim, At(1'000))) == before + " " + claim.part_digests + "\n");
  const Result<Record> old = Decode(before + "\n");
  REQUIRE(old.has_value());
  CHECK(old->claim.part_digests.empty());
  CHECK(Encode(*old) == before + "\n");
  for (const char* word : {"0000000", "0000000A", "000000010", "00000001 00000001", ""}) {
    CAPTURE(word);
    CHECK_FALSE(Decode(before + " " + word + "\n").has_value());
  }
}

TEST_CASE("every truncation of a record is refused") {
  for (const Record& record : SampleRecords()) {
    const std::string bytes = Encode(record);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(size);
      CHECK_FALSE(Decode(std::string_view(bytes).substr(0, size)).has_value());
    }
    CHECK_FALSE(Decode(bytes + "x").has_value());
  }
}

TEST_CASE("a record with one byte changed is refused, or is another record in its exact form") {
  for (const Record& record : SampleRecords()) {
    const std::string bytes = Encode(record);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(byte);
        if (!RefusedOrExact(changed)) FAIL_CHECK("byte " << byte << " at " << at);
      }
    }
  }
}

TEST_CASE("a record with one byte removed or doubled is refused, or is exact") {
  for (const Record& record : SampleRecords()) {
    const std::string bytes = Encode(record);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      CAPTURE(at);
      std::string shorter = bytes;
      CHECK(RefusedOrExact(shorter.erase(at, 1)));
      std::string longer = bytes;
      CHECK(RefusedOrExact(longer.insert(at, 1, bytes[at])));
    }
  }
}

TEST_CASE("what Encode() cannot have written is refused") {
  const std::string token = " a0a1a2a3a4a5a6a7a8a9aaabacadaeaf ";
  const std::string print = " " + std::string(64, '0') + " ";
  const std::string head = "idemproxy/1 completed" + token + "3 1 2" + print + "r 0 1 1 ";
  REQUIRE(Decode(head + "- - 200 1 2 0\n\r\n").has_value());
  struct Row {
    const char* what;
    std::string bytes;
  };
  const std::vector<Row> rows = {
      {"another version", "idemproxy/2" + (head + "- - 200 1 2 0\n\r\n").substr(11)},
      {"a state that does not exist",
       "idemproxy/1 done" + token + "3 1 2" + print + "r 0 1 1 - - 0 0 0 0\n"},
      {"a response that executes",
       "idemproxy/1 executing" + token + "3 1 2" + print + "r 0 1 1 - - 200 1 2 0\n\r\n"},
      {"a completed record without response", head + "- - 0 0 0 0\n"},
      {"a status below 200", head + "- - 199 1 2 0\n\r\n"},
      {"a status above 599", head + "- - 600 1 2 0\n\r\n"},
      {"a body that was not kept", head + "- - 200 0 2 1\n\r\nx"},
      {"a word too many", head + "- - 200 1 2 0 0\n\r\n"},
      {"a word too few", head + "- 200 1 2 0\n\r\n"},
      {"a trailing blank", head + "- - 200 1 2 0 \n\r\n"},
      {"a leading zero", head + "- - 200 1 02 0\n\r\n"},
      {"a sign", head + "- - 200 1 +2 0\n\r\n"},
      {"a length past every number", head + "- - 200 1 2 99999999999999999999999\n\r\n"},
      {"lengths whose sum wraps", head + "- - 200 1 2 18446744073709551615\n\r\n"},
      {"an escape that none needs", head + "%41 - 200 1 2 0\n\r\n"},
      {"a lower-case escape", head + "%2f - 200 1 2 0\n\r\n"},
      {"an escape cut short", head + "a%2 - 200 1 2 0\n\r\n"},
      {"a head without its empty line", head + "- - 200 1 6 0\nA: b\r\n"},
      {"a field without a name", head + "- - 200 1 7 0\n: b\r\n\r\n"},
      {"a field with a blank in its name", head + "- - 200 1 10 0\nA B: b\r\n\r\n"},
      {"a field whose value has blanks around it", head + "- - 200 1 9 0\nA:  b\r\n\r\n"},
      {"a line feed inside a value", head + "- - 200 1 10 0\nA: b\nc\r\n\r\n"},
      {"a body that the head's length cuts", head + "- - 200 1 1 1\n\r\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Result<Record> record = Decode(row.bytes);
    REQUIRE_FALSE(record.has_value());
    CHECK(record.error().code == ErrorCode::kCorrupt);
  }
}

}  // namespace idem::idempotency
