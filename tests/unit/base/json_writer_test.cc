#include "proxy/base/json_writer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace idem {

namespace {

std::string Quoted(std::string_view text) {
  std::string json = "x";
  AppendJsonString(text, json);
  return json.substr(1);
}

}  // namespace

TEST_CASE("a JSON string escapes what it must, and replaces what is not UTF-8") {
  const std::string replaced = "\xEF\xBF\xBD";
  struct Row {
    const char* what;
    std::string text;
    std::string json;
  };
  const std::vector<Row> rows = {
      {"nothing", "", R"("")"},
      {"plain text", "a b~/", R"("a b~/")"},
      {"quotes and backslashes", R"(a"b\c)", R"("a\"b\\c")"},
      {"line ends and tabs", "\r\n\t", R"("\r\n\t")"},
      {"controls", std::string("\0\x1f\x7f", 3), R"("\u0000\u001f\u007f")"},
      {"two, three and four bytes", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x82",
       "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x82\""},
      {"a byte that begins nothing",
       "a\xFF"
       "b",
       "\"a" + replaced + "b\""},
      {"a lone continuation", "\x80", "\"" + replaced + "\""},
      {"a sequence cut short", "\xE2\x82", "\"" + replaced + replaced + "\""},
      {"an overlong slash", "\xC0\xAF", "\"" + replaced + replaced + "\""},
      {"a surrogate", "\xED\xA0\x80", "\"" + replaced + replaced + replaced + "\""},
      {"past the last code point", "\xF4\x90\x80\x80",
       "\"" + replaced + replaced + replaced + replaced + "\""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(Quoted(row.text) == row.json);
  }
}

}  // namespace idem
