// Checks that every test that docs/guarantees.md names exists.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>

namespace idem {

namespace {

std::string Read(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// Returns all sources of a folder of tests. A name that is broken over two lines is joined.
std::string SourcesOf(const std::filesystem::path& folder) {
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".cc") all += Read(entry.path());
  }
  static const std::regex kBreak("\"\\s*\n\\s*\"");
  return std::regex_replace(all, kBreak, "");
}

bool Exists(const std::string& kind, const std::string& name) {
  const std::filesystem::path root = IDEM_SOURCE_DIR;
  if (kind == "model")
    return Read(root / "scripts/model").find("\n" + name + " ") != std::string::npos;
  static std::map<std::string, std::string> sources;
  std::string& text = sources[kind];
  if (text.empty()) text = SourcesOf(root / "tests" / kind);
  return text.find("\"" + name + "\"") != std::string::npos;
}

}  // namespace

TEST_CASE("the tests that docs/guarantees.md names exist") {
  const std::string page = Read(std::filesystem::path(IDEM_SOURCE_DIR) / "docs/guarantees.md");
  static const std::regex kName(
      "`(unit|contract|integration|simulation|field|chaos|model): ([^`]+)`");
  int names = 0;
  for (std::sregex_iterator each(page.begin(), page.end(), kName), end; each != end; ++each) {
    const std::string kind = (*each)[1];
    const std::string name = (*each)[2];
    if (kind == "model" && name == "NAME") continue;
    CAPTURE(kind);
    CAPTURE(name);
    CHECK(Exists(kind, name));
    ++names;
  }
  CHECK(names > 50);
}

}  // namespace idem
