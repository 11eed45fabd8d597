#include "proxy/base/digest.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "proxy/base/hex.h"

namespace idem {

namespace {

std::string Bytes(std::size_t count, char byte) { return std::string(count, byte); }

}  // namespace

TEST_CASE("SHA-256 gives the examples of FIPS 180") {
  struct Row {
    std::string message;
    const char* digest;
  };
  const std::vector<Row> rows = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {Bytes(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const Row& row : rows) CHECK(ToHex(Sha256::Of(row.message)) == row.digest);
}

TEST_CASE("a digest in pieces is the digest of the whole, and leaves a new one") {
  Sha256 sha;
  for (int round = 0; round < 2; ++round) {
    sha.Add("a");
    sha.Add("");
    sha.Add("bc");
    CHECK(sha.Finish() == Sha256::Of("abc"));
  }
  sha.Add("a");
  Sha256 moved = std::move(sha);
  moved.Add("bc");
  CHECK(moved.Finish() == Sha256::Of("abc"));
}

TEST_CASE("HMAC-SHA256 gives the vectors of RFC 4231") {
  struct Row {
    std::string key;
    std::string message;
    const char* mac;  // the RFC shows only 128 bits of case 5
  };
  std::string counting;
  for (char byte = 1; byte <= 25; ++byte) counting.push_back(byte);
  const std::vector<Row> rows = {
      {Bytes(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Bytes(20, '\xaa'), Bytes(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counting, Bytes(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {Bytes(20, '\x0c'), "Test With Truncation", "a3b6167473100ee06e0c796c2955552b"},
      {Bytes(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {Bytes(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const Row& row : rows) {
    const std::string mac = ToHex(HmacSha256(row.key, row.message));
    CHECK(mac.substr(0, std::string_view(row.mac).size()) == row.mac);
  }
}

TEST_CASE("a key of exactly one block is used as it is, a longer one by its digest") {
  const std::string block = Bytes(64, 'k');
  const std::string longer = Bytes(65, 'k');
  CHECK(HmacSha256(longer, "m") == HmacSha256(AsText(Sha256::Of(longer)), "m"));
  CHECK(HmacSha256(block, "m") != HmacSha256(AsText(Sha256::Of(block)), "m"));
}

TEST_CASE("equality in constant time is equality") {
  CHECK(EqualInConstantTime("", ""));
  CHECK(EqualInConstantTime("abc", "abc"));
  CHECK_FALSE(EqualInConstantTime("abc", "abd"));
  CHECK_FALSE(EqualInConstantTime("abc", "ab"));
  CHECK_FALSE(EqualInConstantTime("", "a"));
}

TEST_CASE("random bytes differ, and wiped bytes are zero") {
  std::array<std::uint8_t, 32> first{};
  std::array<std::uint8_t, 32> second{};
  FillRandom(first.data(), first.size());
  FillRandom(second.data(), second.size());
  CHECK(first != second);
  WipeMemory(first.data(), first.size());
  CHECK(first == std::array<std::uint8_t, 32>{});
}

}  // namespace idem
