// The form of the pages: lines of prose that a terminal shows whole, and paths that exist.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace idem {

namespace {

namespace fs = std::filesystem;

constexpr std::ptrdiff_t kColumnsMax = 140;

struct Line {
  std::string page = {};  // "docs/http.md"
  int number = 0;
  std::string text = {};
  bool in_code = false;  // between two lines of ```
};

std::vector<std::string> Pages() {
  std::vector<std::string> pages = {"README.md", "CHANGELOG.md"};
  const fs::path root = IDEM_SOURCE_DIR;
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(fs::relative(entry.path(), root));
  }
  return pages;
}

std::vector<Line> LinesOf(const std::vector<std::string>& pages) {
  std::vector<Line> lines;
  for (const std::string& page : pages) {
    std::ifstream file(fs::path(IDEM_SOURCE_DIR) / page);
    Line line{.page = page};
    while (std::getline(file, line.text)) {
      ++line.number;
      const std::size_t first = line.text.find_first_not_of(' ');
      const bool is_fence = first != std::string::npos && line.text.compare(first, 3, "```") == 0;
      if (is_fence) line.in_code = !line.in_code;
      if (!is_fence) lines.push_back(line);
    }
  }
  return lines;
}

bool IsTableRow(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first != std::string_view::npos && text[first] == '|';
}

// Counts characters of UTF-8, of which each has one byte that is not a continuation.
std::ptrdiff_t ColumnsOf(std::string_view text) {
  return std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

// Returns the targets of the line's links to files, without their anchors.
std::vector<std::string> LinkedFiles(const std::string& text) {
  static const std::regex kLink(R"(\]\(([^)#]+)(#[^)]*)?\))");
  std::vector<std::string> files;
  for (std::sregex_iterator each(text.begin(), text.end(), kLink), end; each != end; ++each) {
    std::string target = (*each)[1];
    if (target.find("://") == std::string::npos) files.push_back(std::move(target));
  }
  return files;
}

// Returns the paths that the line names from the top of the tree: `proxy/auth/scheme.h`. Words in
// capitals and wildcards stand for names that the reader chooses, so they end the path.
std::vector<std::string> NamedPaths(const std::string& text) {
  static const std::regex kPath(
      R"((^|[ `"(])((?:proxy|upstream|tests|scripts|config|docker|docs|\.ci)/[A-Za-z0-9_./*-]+))");
  static const std::regex kChoice(R"(/?[^/]*([A-Z]{2}|\*).*$)");
  std::vector<std::string> paths;
  for (std::sregex_iterator each(text.begin(), text.end(), kPath), end; each != end; ++each) {
    std::string path = std::regex_replace((*each)[2].str(), kChoice, "");
    while (path.ends_with('.') || path.ends_with('/')) path.pop_back();
    paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace

TEST_CASE("no line of prose on a page is longer than 140 characters") {
  int prose = 0;
  for (const Line& line : LinesOf(Pages())) {
    if (line.in_code || IsTableRow(line.text)) continue;
    ++prose;
    CAPTURE(line.page);
    CAPTURE(line.number);
    CHECK(ColumnsOf(line.text) <= kColumnsMax);
  }
  CHECK(prose > 500);
}

TEST_CASE("the files that a page links to exist") {
  int links = 0;
  for (const Line& line : LinesOf(Pages())) {
    if (line.in_code) continue;
    const fs::path folder = (fs::path(IDEM_SOURCE_DIR) / line.page).parent_path();
    for (const std::string& target : LinkedFiles(line.text)) {
      CAPTURE(line.page);
      CAPTURE(line.number);
      CAPTURE(target);
      CHECK(fs::exists(folder / target));
      ++links;
    }
  }
  CHECK(links > 20);
}

TEST_CASE("the paths of the tree that a page names exist") {
  int paths = 0;
  for (const Line& line : LinesOf(Pages())) {
    for (const std::string& path : NamedPaths(line.text)) {
      CAPTURE(line.page);
      CAPTURE(line.number);
      CAPTURE(path);
      CHECK(fs::exists(fs::path(IDEM_SOURCE_DIR) / path));
      ++paths;
    }
  }
  CHECK(paths > 50);
}

}  // namespace idem
