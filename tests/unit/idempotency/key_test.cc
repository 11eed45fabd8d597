#include "proxy/idempotency/key.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace idem::idempotency {

namespace {

// Returns "key K", "missing" or "invalid", as table rows name the result.
std::string Read(const std::vector<std::string>& lines) {
  http::Fields fields;
  fields.Add("Content-Type", "text/plain");
  for (const std::string& line : lines) fields.Add("idempotency-KEY", line);
  const KeyResult result = ReadKey(fields, "Idempotency-Key");
  if (const auto* key = std::get_if<std::string>(&result)) return "key " + *key;
  if (std::holds_alternative<KeyMissing>(result)) return "missing";
  CHECK_FALSE(std::get<KeyInvalid>(result).reason.empty());
  return "invalid";
}

std::string EveryKeyCharacter() {
  std::string key;
  for (char c = '!'; c <= '~'; ++c) key.push_back(c);
  return key;
}

}  // namespace

TEST_CASE("both spellings of a key are read, and nothing else is a key") {
  const std::string longest(255, 'k');
  struct Row {
    const char* what;
    std::vector<std::string> lines;
    std::string read;
  };
  const std::vector<Row> rows = {
      {"no field line", {}, "missing"},
      {"the bare form", {"k-1"}, "key k-1"},
      {"the quoted form", {R"("k-1")"}, "key k-1"},
      {"escapes in the quoted form", {R"("a\"b\\c")"}, R"(key a"b\c)"},
      {"a backslash in the bare form is itself", {R"(a\b)"}, R"(key a\b)"},
      {"parameters are ignored", {R"("k-1";a=1;b)"}, "key k-1"},
      {"a quote inside the bare form", {R"(k"1)"}, R"(key k"1)"},
      {"what looks like a parameter in the bare form", {"k;a=1"}, "key k;a=1"},
      {"a comma in the quoted form", {R"("a,b")"}, "key a,b"},
      {"the longest bare key", {longest}, "key " + longest},
      {"the longest quoted key", {'"' + longest + '"'}, "key " + longest},
      {"two field lines", {"k-1", "k-1"}, "invalid"},
      {"an empty value", {""}, "invalid"},
      {"an empty quoted value", {R"("")"}, "invalid"},
      {"a space", {"a b"}, "invalid"},
      {"a space in the quoted form", {R"("a b")"}, "invalid"},
      {"a control", {"a\tb"}, "invalid"},
      {"a control in the quoted form", {"\"a\tb\""}, "invalid"},
      {"delete", {"a\x7f"}, "invalid"},
      {"not ASCII", {"k\xC3\xA9"}, "invalid"},
      {"not ASCII in the quoted form", {"\"k\xC3\xA9\""}, "invalid"},
      {"a comma in the bare form", {"k-1,k-2"}, "invalid"},
      {"two quoted keys that something merged", {R"("k-1", "k-2")"}, "invalid"},
      {"two quoted keys with parameters that something merged", {R"("k-1";a, "k-2")"}, "invalid"},
      {"a quote that is not closed", {R"("k-1)"}, "invalid"},
      {"a lone quote", {R"(")"}, "invalid"},
      {"an escape that does not exist", {R"("k\1")"}, "invalid"},
      {"an escape cut short", {"\"k\\"}, "invalid"},
      {"text after the quote", {R"("k-1"x)"}, "invalid"},
      {"256 characters", {longest + "k"}, "invalid"},
      {"256 quoted characters", {'"' + longest + "k\""}, "invalid"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(Read(row.lines) == row.read);
  }
}

TEST_CASE("a key is forwarded in a form that reads back as the same key, and no other does") {
  std::vector<std::string> keys = {"k-1",    R"("abc")", R"("abc)",  "a,b",
                                   R"(a"b)", R"(a\b)",   R"("a\b,)", R"(\)",
                                   "k;a=1",  R"(")",     ",",        EveryKeyCharacter()};
  for (const std::string& key : keys) {
    CAPTURE(key);
    const std::string form = HasBareForm(key) ? key : QuotedForm(key);
    CHECK(Read({form}) == "key " + key);
    CHECK(Read({QuotedForm(key)}) == "key " + key);
  }
}

TEST_CASE("every character from ! to ~ is a key character") {
  for (const char c : EveryKeyCharacter()) {
    const std::string key = std::string("k") + c;
    CAPTURE(key);
    CHECK(Read({key}) == (c == ',' ? "invalid" : "key " + key));
  }
}

TEST_CASE("a record lies under its scope and its key") {
  struct Row {
    std::vector<ScopePart> scope;
    std::string key;
    std::string record_key;
  };
  const std::vector<Row> rows = {
      {{}, "key-001", "key-001"},
      {{{"client", "shop"}}, "key-001", "client=shop;key-001"},
      {{{"route", "orders"}, {"x-tenant", "a b"}}, "k", "route=orders;x-tenant=a%20b;k"},
      {{{"x-tenant", ""}}, "k", "x-tenant=;k"},
      {{{"client", "a=b;c%d"}}, "e=f;g%h", "client=a%3Db%3Bc%25d;e%3Df%3Bg%25h"},
      {{{"x-tenant", "\xC3\xA9\x01\x7f"}}, "k", "x-tenant=%C3%A9%01%7F;k"},
      {{}, "client=shop;key-001", "client%3Dshop%3Bkey-001"},
      {{}, "{a}:b/c?", "{a}:b/c?"},
  };
  for (const Row& row : rows) CHECK(RecordKey(row.scope, row.key) == row.record_key);
}

TEST_CASE("the log shows 16 digits of the digest of scope and key") {
  CHECK(KeyHash("abc") == "ba7816bf8f01cfea");  // the example of FIPS 180-4
}

}  // namespace idem::idempotency
