#include "proxy/base/utf8.h"

#include <doctest/doctest.h>

#include <string>

namespace idem {

TEST_CASE("well-formed sequences are measured at the edges of each length") {
  struct Row {
    std::string text;
    std::size_t length;
  };
  const Row rows[] = {
      {std::string(1, '\0'), 1},
      {"\x7F", 1},
      {"\xC2\x80", 2},
      {"\xDF\xBF", 2},
      {"\xE0\xA0\x80", 3},
      {"\xED\x9F\xBF", 3},
      {"\xEE\x80\x80", 3},
      {"\xEF\xBF\xBF", 3},
      {"\xF0\x90\x80\x80", 4},
      {"\xF4\x8F\xBF\xBF", 4},
      {"\xC3\xA9tail", 2},  // the bytes after it are ignored
      {"\x80", 0},
      {"\xBF", 0},
      {"\xC1\xBF", 0},
      {"\xC2", 0},
      {"\xC2\x7F", 0},
      {"\xC2\xC0", 0},
      {"\xE0\x9F\xBF", 0},
      {"\xED\xA0\x80", 0},
      {"\xE1\x80", 0},
      {"\xF0\x8F\xBF\xBF", 0},
      {"\xF4\x90\x80\x80", 0},
      {"\xF1\x80\x80", 0},
      {"\xF5\x80\x80\x80", 0},
      {"\xFF", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(Utf8SequenceLength(row.text) == row.length);
  }
}

}  // namespace idem
