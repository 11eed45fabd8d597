#include "upstream/idempotency_key.h"

#include <doctest/doctest.h>

#include <vector>

namespace idem::upstream {

namespace {

// "key K", "missing" or "invalid": what a table row can name.
std::string Read(const std::vector<std::string>& lines) {
  http::Fields fields;
  for (const std::string& line : lines) fields.Add("idempotency-KEY", line);
  const auto key = ReadIdempotencyKey(fields);
  if (!key) return "invalid";
  return *key ? "key " + **key : "missing";
}

}  // namespace

TEST_CASE("both spellings of a key are read, and nothing else is a key") {
  const std::string longest(255, 'k');
  struct Row {
    const char* what;
    std::vector<std::string> lines;
    std::string key;
  };
  const Row rows[] = {
      {"no field line", {}, "missing"},
      {"the bare form", {"k-1"}, "key k-1"},
      {"the quoted form", {R"("k-1")"}, "key k-1"},
      {"escapes in the quoted form", {R"("a\"b\\c")"}, R"(key a"b\c)"},
      {"a backslash in the bare form is itself", {R"(a\b)"}, R"(key a\b)"},
      {"parameters are ignored", {R"("k-1";a=1;b)"}, "key k-1"},
      {"a comma in the quoted form", {R"("a,b")"}, "key a,b"},
      {"the longest bare key", {longest}, "key " + longest},
      {"the longest quoted key", {'"' + longest + '"'}, "key " + longest},
      {"two field lines", {"k-1", "k-1"}, "invalid"},
      {"an empty value", {""}, "invalid"},
      {"an empty quoted value", {R"("")"}, "invalid"},
      {"a space", {"a b"}, "invalid"},
      {"a control in the quoted form", {"\"a\tb\""}, "invalid"},
      {"delete", {"a\x7f"}, "invalid"},
      {"not ASCII", {"k\xC3\xA9"}, "invalid"},
      {"a comma in the bare form", {"k-1,k-2"}, "invalid"},
      {"two quoted keys that something merged", {R"("k-1";a, "k-2")"}, "invalid"},
      {"a quote that is not closed", {R"("k-1)"}, "invalid"},
      {"a lone quote", {R"(")"}, "invalid"},
      {"an escape that does not exist", {R"("k\1")"}, "invalid"},
      {"an escape cut short", {"\"k\\"}, "invalid"},
      {"text after the quote", {R"("k-1"x)"}, "invalid"},
      {"256 characters", {longest + "k"}, "invalid"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(Read(row.lines) == row.key);
  }
}

}  // namespace idem::upstream
