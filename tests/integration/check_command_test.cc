// The commands that do not serve, as a shell sees them.
#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/process.h"

namespace idem {

namespace {

using support::BuiltProgram;
using support::Process;

struct Answer {
  int exit_code;
  std::string output;
  std::string errors;
};

Answer Run(std::vector<std::string> arguments,
           std::map<std::string, std::string> environment = {}) {
  Process program =
      Process::Start({BuiltProgram("idemproxy"), std::move(arguments), std::move(environment)});
  const int exit_code = program.WaitForExit();
  return {exit_code, program.output(), program.error_output()};
}

// A file that is removed with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    const int file = mkstemp(path_.data());
    REQUIRE(file >= 0);
    close(file);
    std::ofstream(path_) << text;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/idemproxy-test-XXXXXX";
};

constexpr const char* kGood = R"(
listen: 127.0.0.1:0
clients:
  - { id: shop, secrets: ["${SECRET}"] }
  - { id: other, secrets: [o] }
routes:
  - name: orders
    path: /orders
    methods: [POST]
    upstream: http://127.0.0.1:9
    authenticate: { scheme: hmac-body, clients: [shop] }
    idempotency: { header: X-Key }
)";
constexpr const char* kBad = "workers: none\nroutes: [{path: a}]\n";

std::string MistakesIn(const std::string& path) {
  return path + ":1:10: workers: must be a whole number from 1 to 256\n" + path +
         ":2:10: routes[0].upstream: is missing\n" + path +
         ":2:17: routes[0].path: must begin with /\n";
}

}  // namespace

TEST_CASE("check says ok, after its warnings") {
  const TemporaryFile good(kGood);
  Answer answer = Run({"check", "-c", good.path()}, {{"SECRET", "s"}});
  CHECK(answer.exit_code == 0);
  CHECK(answer.output == "ok\n");
  CHECK(answer.errors.empty());

  answer = Run({"check", "--config", good.path()}, {{"SECRET", "o"}});
  CHECK(answer.exit_code == 0);
  CHECK(answer.output == "warning: " + good.path() +
                             ":5:27: clients[1].secrets: shares a secret with clients[0]: "
                             "each can impersonate the other\nok\n");
}

TEST_CASE("check prints every mistake on its output, run on its errors, and both exit with 2") {
  const TemporaryFile bad(kBad);
  Answer answer = Run({"check", "-c", bad.path()});
  CHECK(answer.exit_code == 2);
  CHECK(answer.output == MistakesIn(bad.path()));
  CHECK(answer.errors.empty());
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"run", "-c", bad.path()}, {"-c", bad.path()}}) {
    answer = Run(arguments);
    CHECK(answer.exit_code == 2);
    CHECK(answer.output.empty());
    CHECK(answer.errors == MistakesIn(bad.path()));
  }
}

TEST_CASE("a command line that cannot be understood is answered with one line and 2") {
  struct Row {
    std::vector<std::string> arguments;
    const char* what;
  };
  const Row rows[] = {
      {{"serve"}, "unknown command or option `serve`"},
      {{"check", "--all"}, "unknown command or option `--all`"},
      {{"sign", "--data", "x", "/orders"}, "--client is required"},
      {{"check", "-c"}, "--config: 1 required FILE missing"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Answer answer = Run(row.arguments);
    CHECK(answer.exit_code == 2);
    CHECK(answer.output.empty());
    CHECK(answer.errors ==
          "idemproxy: " + std::string(row.what) + " (run idemproxy --help for usage)\n");
  }
}

TEST_CASE("sign prints the lines that a caller must send") {
  const TemporaryFile good(kGood);
  // RFC 4231, test case 2.
  const std::map<std::string, std::string> secret = {{"SECRET", "Jefe"}};
  const std::string body = "what do ya want for nothing?";
  const std::string signature =
      "X-Client-Id: shop\n"
      "X-Signature: 5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\n";
  const TemporaryFile body_file(body);

  Answer answer = Run({"sign", "-c", good.path(), "--client", "shop", "--key", "k-1", "--data",
                       body, "http://127.0.0.1:8080/orders?x=1"},
                      secret);
  CHECK(answer.exit_code == 0);
  CHECK(answer.output == signature + "X-Key: k-1\n");
  CHECK(answer.errors.empty());

  answer = Run({"sign", "-c", good.path(), "--client", "shop", "--scheme", "hmac-body", "-X",
                "POST", "--data", "@" + body_file.path(), "/orders"},
               secret);
  CHECK(answer.exit_code == 0);
  CHECK(answer.output == signature);
}

TEST_CASE("sign says in one line why it cannot") {
  struct Row {
    std::vector<std::string> arguments;
    const char* what;
  };
  const TemporaryFile good(kGood);
  const Row rows[] = {
      {{"--client", "nobody", "--data", "x", "/orders"}, "no client has the id `nobody`"},
      {{"--client", "other", "--data", "x", "/orders"}, "client `other` may not use this route"},
      {{"--client", "shop", "--data", "x", "/other"},
       "no route of the configuration matches this URL"},
      {{"--client", "shop", "-X", "GET", "--data", "x", "/orders"},
       "the routes for this URL allow POST, not GET"},
      {{"--client", "shop", "--data", "@/does/not/exist", "/orders"},
       "the file /does/not/exist cannot be read"},
      {{"--client", "shop", "--data", "@/", "/orders"}, "the file / cannot be read"},
      {{"--client", "shop", "--data", "@/dev/zero", "/orders"},
       "the file /dev/zero is larger than 64 MiB"},
      {{"--client", "shop", "--data", "x", "orders"}, "`orders` is neither a URL nor a path"},
      {{"--client", "shop", "--scheme", "hmac", "--data", "x", "/orders"}, "unknown scheme `hmac`"},
      {{"--client", "shop", "--scheme", "client-certificate", "--data", "x", "/orders"},
       "the scheme client-certificate signs nothing: the caller shows its certificate to the "
       "listener instead"},
      {{"--client", "shop", "--scheme", "hmac-timestamp", "--data", "x", "/orders"},
       "the scheme hmac-timestamp is not available in this version"},
      {{"--client", "shop", "--key", "a b", "--data", "x", "/orders"},
       "--key is not valid: the key holds a space, a control or a character outside ASCII"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    std::vector<std::string> arguments = {"sign", "-c", good.path()};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    const Answer answer = Run(arguments, {{"SECRET", "s"}});
    CHECK(answer.exit_code == 2);
    CHECK(answer.output.empty());
    CHECK(answer.errors == "idemproxy: " + std::string(row.what) + "\n");
  }
}

TEST_CASE("version names the program, its compiler and every library") {
  const Answer answer = Run({"version"});
  CHECK(answer.exit_code == 0);
  CHECK(answer.output.starts_with("idemproxy "));
  for (const char* name : {"compiler ", "libevent 2", "OpenSSL 3", "RocksDB ", "hiredis ", "libpq ",
                           "yaml-cpp 0", "spdlog 1"}) {
    CAPTURE(name);
    CHECK(answer.output.find(name) != std::string::npos);
  }
}

}  // namespace idem
