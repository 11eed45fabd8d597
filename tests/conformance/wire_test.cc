// Messages byte for byte and their expected outcomes. Each file of cases/ is one, with the clause
// that it checks.
//
//   clause: RFC 9112, section 6.3
//   expect: refused 400            or: forwarded 200
//   ---
//   POST /orders HTTP/1.1\r\n      line breaks of the file are no part of the message; the escapes
//                                  \r \n \t \\ and \xHH are
//
// A refused message reaches no backend, and the connection is closed after the answer. A forwarded
// one reaches it once.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"

namespace idem::support {

namespace {

struct WireCase {
  std::string name;
  std::string clause;
  bool forwarded = false;
  int status = 0;
  std::string message;
};

std::string Unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') continue;
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    switch (text.at(++i)) {
      case 'r':
        bytes += '\r';
        break;
      case 'n':
        bytes += '\n';
        break;
      case 't':
        bytes += '\t';
        break;
      case '\\':
        bytes += '\\';
        break;
      case 'x':
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      default:
        FAIL("unknown escape in a case");
    }
  }
  return bytes;
}

WireCase Read(const std::filesystem::path& file) {
  WireCase wire{.name = file.stem().string(), .clause = {}, .message = {}};
  std::ifstream in(file, std::ios::binary);
  std::string line;
  while (std::getline(in, line) && line != "---") {
    std::istringstream words(line);
    std::string label;
    words >> label;
    if (label == "clause:") std::getline(words >> std::ws, wire.clause);
    if (label == "expect:") {
      std::string what;
      words >> what >> wire.status;
      wire.forwarded = what == "forwarded";
    }
  }
  std::ostringstream rest;
  rest << in.rdbuf();
  wire.message = Unescape(rest.str());
  return wire;
}

std::vector<WireCase> ReadAll() {
  std::vector<WireCase> cases;
  for (const auto& file :
       std::filesystem::directory_iterator(std::string(IDEM_TEST_DATA) + "/conformance/cases")) {
    cases.push_back(Read(file.path()));
  }
  std::sort(cases.begin(), cases.end(),
            [](const WireCase& a, const WireCase& b) { return a.name < b.name; });
  return cases;
}

void Check(const WireCase& wire, RunningProxy& proxy, support::ScriptedBackend& backend) {
  CAPTURE(wire.name);
  CAPTURE(wire.clause);
  CHECK_FALSE(wire.clause.empty());
  const int before = backend.requests();
  HttpClient client(proxy.port());
  client.Send(wire.message);
  CHECK(client.ReadResponse("POST").status == wire.status);
  if (!wire.forwarded) client.ReadEnding();
  CHECK(backend.requests() - before == (wire.forwarded ? 1 : 0));
}

void CheckAll(const std::string& idempotency) {
  support::ScriptedBackend backend(support::Always(support::Response(200, "ok")));
  RunningProxy proxy("store: { type: memory }\nroutes: [{ path_prefix: /, upstream: \"http://" +
                     backend.address() + "\"" + idempotency + " }]\n");
  const auto cases = ReadAll();
  CHECK(cases.size() >= 30);
  for (const WireCase& wire : cases) Check(wire, proxy, backend);
}

}  // namespace

TEST_CASE("on a route with idempotency every message of the cases becomes what its clause says") {
  CheckAll(", idempotency: { required: false }");
}

TEST_CASE("on a streamed route every message of the cases becomes what its clause says") {
  CheckAll("");
}

}  // namespace idem::support
