// Checks the rules of the tree: which folders may include each other (the rows of CMakeLists.txt),
// and which files may include a third-party header.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace idem {

namespace {

namespace fs = std::filesystem;

struct Part {
  std::string name;
  std::vector<std::string> uses;  // except for itself
};

std::string ReadSource(const std::string& path) {
  std::ifstream file(fs::path(IDEM_SOURCE_DIR) / path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One row of CMakeLists.txt: "idem_library(http USES base LINKS ...)".
Part PartIn(const std::string& row) {
  std::istringstream words(row);
  Part part;
  words >> part.name;
  std::string word;
  for (bool uses = false; words >> word;) {
    if (word == "USES" || word == "LINKS") {
      uses = word == "USES";
    } else if (uses) {
      part.uses.push_back(word);
    }
  }
  return part;
}

std::vector<Part> ReadParts() {
  std::vector<Part> parts;
  std::istringstream lines(ReadSource("CMakeLists.txt"));
  constexpr std::string_view kRow = "idem_library(";
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kRow)) continue;
    std::string row = line.substr(kRow.size());
    while (row.find(')') == std::string::npos && std::getline(lines, line)) row += " " + line;
    parts.push_back(PartIn(row.substr(0, row.find(')'))));
  }
  return parts;
}

// Returns the table by which CMake links, lowest first.
const std::vector<Part>& Parts() {
  static const std::vector<Part> kParts = ReadParts();
  return kParts;
}

struct Home {
  std::string_view header;               // the beginning of its name
  std::vector<std::string_view> places;  // folders (with a slash at the end) or files
};

// The first matching row decides.
const std::vector<Home>& Homes() {
  static const std::vector<Home> kHomes = {
      {"event2/", {"proxy/event/"}},
      {"openssl/evp.h", {"proxy/base/digest.cc"}},
      {"openssl/rand.h", {"proxy/base/digest.cc"}},
      {"openssl/crypto.h", {"proxy/base/digest.cc", "proxy/event/"}},
      {"openssl/", {"proxy/event/"}},
      {"boost/", {"proxy/http/head_parser.cc"}},
      {"hiredis/", {"proxy/store/redis/"}},
      {"rocksdb/", {"proxy/store/embedded/"}},
      {"libpq", {"proxy/libpq/"}},
      {"zlib.h", {"proxy/idempotency/fingerprint/content_coding.cc"}},
      {"yaml-cpp/", {"proxy/config/yaml/"}},
      {"prometheus/", {"proxy/telemetry/metrics.cc"}},
      {"spdlog/", {"proxy/base/log.cc"}},
      {"nlohmann/", {"proxy/base/json.cc", "upstream/order_request.cc"}},
      {"CLI/", {"proxy/cli/main.cc", "upstream/main.cc"}},
      // Headers of the system are allowed everywhere.
      {"sys/", {"proxy/", "upstream/"}},
      {"net/", {"proxy/", "upstream/"}},
      {"netinet/", {"proxy/", "upstream/"}},
      {"arpa/", {"proxy/", "upstream/"}},
      {"linux/", {"proxy/", "upstream/"}},
  };
  return kHomes;
}

// Returns the longest row that contains `path`: "proxy/http/fields.h" -> "http", "upstream/order.h"
// -> "upstream". Returns "" if there is none.
std::string PartOf(std::string_view path) {
  constexpr std::string_view kProxy = "proxy/";
  if (path.starts_with(kProxy)) path.remove_prefix(kProxy.size());
  for (std::size_t end = path.rfind('/'); end != std::string_view::npos; end = path.rfind('/')) {
    path = path.substr(0, end);
    const auto fits = [&](const Part& part) { return part.name == path; };
    if (std::any_of(Parts().begin(), Parts().end(), fits)) return std::string(path);
  }
  return "";
}

bool MayInclude(std::string_view part, std::string_view included) {
  if (part == included) return true;
  for (const Part& row : Parts()) {
    if (row.name != part) continue;
    return std::find(row.uses.begin(), row.uses.end(), included) != row.uses.end();
  }
  return false;
}

bool LiesIn(std::string_view path, const std::vector<std::string_view>& places) {
  return std::any_of(places.begin(), places.end(), [&](std::string_view place) {
    return place.ends_with('/') ? path.starts_with(place) : path == place;
  });
}

bool IsAtHome(std::string_view path, std::string_view header) {
  for (const Home& home : Homes()) {
    if (header.starts_with(home.header)) return LiesIn(path, home.places);
  }
  // Headers of the standard library and the C library.
  return header.find('/') == std::string_view::npos;
}

// Returns the fault of one line of `path`, or "".
std::string ComplaintAbout(std::string_view path, std::string_view line) {
  constexpr std::string_view kInclude = "#include ";
  if (!line.starts_with(kInclude)) return "";
  line.remove_prefix(kInclude.size());
  const std::size_t end = line.find_first_of("\">", 1);
  if (end == std::string_view::npos) return "an include that cannot be read";
  const std::string_view header = line.substr(1, end - 1);
  if (line.front() == '<') {
    return IsAtHome(path, header) ? "" : std::string(header) + " has its home elsewhere";
  }
  const bool from_root = header.starts_with("proxy/") || header.starts_with("upstream/");
  if (!from_root) return std::string(header) + " is not written from the root of the repository";
  const std::string part = PartOf(path);
  if (MayInclude(part, PartOf(header))) return "";
  return part + " may not include " + PartOf(header);
}

std::vector<std::string> ComplaintsAbout(std::string_view path, std::string_view text) {
  std::vector<std::string> complaints;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    ++number;
    std::string complaint = ComplaintAbout(path, text.substr(0, end));
    if (!complaint.empty()) {
      complaints.push_back(std::string(path) + ":" + std::to_string(number) + ": " + complaint);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return complaints;
}

std::vector<std::string> SourcePaths() {
  const fs::path root = IDEM_SOURCE_DIR;
  std::vector<std::string> paths;
  for (const char* folder : {"proxy", "upstream"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (extension == ".h" || extension == ".cc") {
        paths.push_back(entry.path().lexically_relative(root).generic_string());
      }
    }
  }
  return paths;
}

// Returns the parts that the files of `part` include.
std::set<std::string> PartsIncludedBy(const std::string& part) {
  std::set<std::string> included;
  constexpr std::string_view kInclude = "#include \"";
  for (const std::string& path : SourcePaths()) {
    if (PartOf(path) != part) continue;
    std::istringstream lines(ReadSource(path));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(kInclude)) included.insert(PartOf(line.substr(kInclude.size())));
    }
  }
  return included;
}

}  // namespace

TEST_CASE("includes point one way, and a third-party header has one home") {
  const std::vector<std::string> paths = SourcePaths();
  CHECK(paths.size() > 50);
  for (const std::string& path : paths) {
    for (const std::string& complaint : ComplaintsAbout(path, ReadSource(path))) {
      FAIL_CHECK(complaint);
    }
  }
}

TEST_CASE("every folder of the proxy has a row in the table") {
  for (const std::string& path : SourcePaths()) {
    CAPTURE(path);
    CHECK(PartOf(path) != "");
  }
}

TEST_CASE("the table of parts holds no circle") {
  std::vector<std::string> above;
  for (const Part& part : Parts()) {
    for (const std::string& used : part.uses) {
      CAPTURE(part.name);
      CAPTURE(used);
      CHECK(std::find(above.begin(), above.end(), used) != above.end());
    }
    above.push_back(part.name);
  }
}

TEST_CASE("a pair of the table that no include uses is taken out of it") {
  for (const Part& part : Parts()) {
    const std::set<std::string> included = PartsIncludedBy(part.name);
    for (const std::string& used : part.uses) {
      CAPTURE(part.name);
      CAPTURE(used);
      CHECK(included.contains(used));
    }
  }
}

TEST_CASE("a file that breaks a rule is named with its line") {
  struct Row {
    const char* path;
    const char* line;
    bool allowed;
  };
  const Row rows[] = {
      {"proxy/http/fields.cc", "#include \"proxy/base/hex.h\"", true},
      {"proxy/http/fields.cc", "#include \"proxy/http/fields.h\"", true},
      {"proxy/http/fields.cc", "#include \"proxy/idempotency/key.h\"", false},
      {"proxy/exchange/exchange.cc", "#include \"proxy/event/event_loop.h\"", false},
      {"proxy/exchange/exchange.cc", "#include \"proxy/store/store_options.h\"", false},
      {"proxy/event/listener.cc", "#include \"proxy/http/fields.h\"", false},
      {"proxy/http_server/server.cc", "#include \"proxy/exchange/rules/router.h\"", false},
      {"proxy/store/memory.cc", "#include \"proxy/config/config.h\"", false},
      {"proxy/app/supervisor.cc", "#include \"upstream/order.h\"", false},
      {"upstream/main.cc", "#include \"proxy/http_server/server.h\"", true},
      {"upstream/main.cc", "#include \"proxy/exchange/rules/router.h\"", false},
      {"proxy/base/log.cc", "#include \"log.h\"", false},
      {"proxy/base/log.cc", "#include \"tests/support/process.h\"", false},
      {"proxy/base/log.cc", "#include <spdlog/logger.h>", true},
      {"proxy/base/log.h", "#include <spdlog/logger.h>", false},
      {"proxy/http/fields.cc", "#include <openssl/evp.h>", false},
      {"proxy/event/tls.cc", "#include <openssl/ssl.h>", true},
      {"proxy/base/digest.cc", "#include <openssl/ssl.h>", false},
      {"proxy/store/redis.cc", "#include <event2/event.h>", false},
      {"proxy/store/redis.cc", "#include <fmt/format.h>", false},
      {"proxy/store/redis.cc", "#include <sys/socket.h>", true},
      {"proxy/store/redis.cc", "#include <vector>", true},
      {"proxy/store/postgres.cc", "#include <libpq-fe.h>", false},
      {"proxy/libpq/database_connection.cc", "#include <libpq-fe.h>", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CAPTURE(row.line);
    const auto complaints = ComplaintsAbout(row.path, "\n" + std::string(row.line) + "\n");
    CHECK(complaints.empty() == row.allowed);
    if (!row.allowed) CHECK(complaints.front().starts_with(std::string(row.path) + ":2: "));
  }
}

}  // namespace idem
