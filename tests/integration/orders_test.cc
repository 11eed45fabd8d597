// The built program `orders` over a real PostgreSQL.
#include <doctest/doctest.h>

#include <csignal>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/http_client.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

namespace idem {

namespace {

using support::AskOnce;
using support::BuiltProgram;
using support::FieldList;
using support::HttpClient;
using support::HttpResponse;
using support::PostgresServer;
using support::Process;
using support::RequestText;
using support::TestDatabase;

/// The program on its own port.
class Orders {
 public:
  explicit Orders(const std::string& database, std::vector<std::string> options = {})
      : process_(Process::Start({BuiltProgram("orders"), Arguments(database, options), {}})) {
    const std::string line = process_.WaitForLine(R"("event":"listening")");
    constexpr std::string_view kBefore = R"("address":"127.0.0.1:)";
    port_ = static_cast<std::uint16_t>(std::stoi(line.substr(line.find(kBefore) + kBefore.size())));
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  Process& process() { return process_; }

  [[nodiscard]] HttpResponse Post(const std::string& key, const std::string& body) const {
    return AskOnce(port_, "POST", "/orders", PostFields(key), body);
  }
  [[nodiscard]] HttpResponse Get(const std::string& target) const {
    return AskOnce(port_, "GET", target);
  }
  void WaitForDatabase() { process_.WaitForLine(R"("event":"database_reachable")"); }

  static FieldList PostFields(const std::string& key) {
    FieldList fields{{"Content-Type", "application/json"}};
    if (!key.empty()) fields.emplace_back("Idempotency-Key", key);
    return fields;
  }

 private:
  static std::vector<std::string> Arguments(const std::string& database,
                                            std::vector<std::string> options) {
    options.insert(options.begin(), {"--listen", "127.0.0.1:0", "--database", database});
    return options;
  }

  Process process_;
  std::uint16_t port_ = 0;
};

std::string Body(const std::string& amount) {
  return R"({"user_id":"u-1","item":"tea","amount":)" + amount + "}";
}

/// Returns a member of the order in the response as JSON text, quotes included.
std::string Member(const HttpResponse& response, std::string_view name) {
  const std::string before = "\"" + std::string(name) + "\":";
  const std::size_t begin = response.body.find(before);
  if (begin == std::string::npos) return "";
  const std::size_t from = begin + before.size();
  return response.body.substr(from, response.body.find_first_of(",}", from) - from);
}

/// Sends each request on its own connection, all before the first answer is read.
std::vector<HttpResponse> AskAtOnce(std::uint16_t port, const std::vector<std::string>& requests) {
  std::vector<HttpClient> clients;
  for (std::size_t i = 0; i < requests.size(); ++i) clients.emplace_back(port);
  for (std::size_t i = 0; i < requests.size(); ++i) clients[i].Send(requests[i]);
  std::vector<HttpResponse> responses;
  for (HttpClient& client : clients) responses.push_back(client.ReadResponse("POST"));
  return responses;
}

}  // namespace

TEST_CASE("an order is made once for its key and found again") {
  TestDatabase database;
  const Orders orders(database.url());
  const HttpResponse made = orders.Post("k-1", Body("12.50"));
  REQUIRE(made.status == 201);
  CHECK(made.Field("Content-Type") == "application/json");
  CHECK(made.body.starts_with(R"({"order":{"id":")"));
  CHECK(Member(made, "user_id") == R"("u-1")");
  CHECK(Member(made, "item") == R"("tea")");
  CHECK(Member(made, "amount") == "12.50");
  CHECK(Member(made, "idempotency_key") == R"("k-1")");
  CHECK(Member(made, "created_at").ends_with("Z\""));
  const std::string quoted_id = Member(made, "id");
  const std::string id = quoted_id.substr(1, 36);

  const HttpResponse again = orders.Post("\"k-1\"", Body("12.5"));
  CHECK(again.status == 201);
  CHECK(again.body == made.body);
  CHECK(orders.Post("k-1", Body("12.51")).status == 409);
  CHECK(database.client().Ask("SELECT id || ' ' || amount FROM orders") == id + " 12.50");

  for (const std::string& target : {"/orders/" + id, std::string("/orders?idempotency_key=k-1")}) {
    CAPTURE(target);
    CHECK(orders.Get(target).status == 200);
    CHECK(orders.Get(target).body == made.body);
  }
  CHECK(orders.Get("/orders?idempotency_key=k-2").status == 404);
  CHECK(orders.Get("/orders/00000000-0000-4000-8000-000000000000").status == 404);
  CHECK(AskOnce(orders.port(), "HEAD", "/orders/" + id).Field("Content-Length") ==
        std::to_string(made.body.size()));
}

TEST_CASE("amounts are exact from the wire to NUMERIC and back") {
  TestDatabase database;
  const Orders orders(database.url());
  struct Row {
    std::string sent;
    std::string stored;
  };
  for (const Row& row :
       {Row{"0.10", "0.10"}, Row{"1e2", "100"}, Row{"1.50e1", "15.0"},
        Row{"0.30000000000000004", "0.30000000000000004"},
        Row{"123456789012345678901234567890", "123456789012345678901234567890"},
        Row{"0.00000000000000000000000000001", "0.00000000000000000000000000001"}}) {
    CAPTURE(row.sent);
    const HttpResponse response = orders.Post("k-" + row.sent, Body(row.sent));
    CHECK(response.status == 201);
    CHECK(Member(response, "amount") == row.stored);
    CHECK(database.client().Ask("SELECT amount FROM orders WHERE idempotency_key = 'k-" + row.sent +
                                "'") == row.stored);
  }
  for (const char* amount : {"1234567890123456789012345678901", "1e400", "-0", "NaN", "\"5\""}) {
    CAPTURE(amount);
    CHECK(orders.Post("k-bad", Body(amount)).status == 400);
  }
}

TEST_CASE("what is wrong with a request is answered with a reason") {
  TestDatabase database;
  Orders orders(database.url());
  orders.WaitForDatabase();
  const FieldList good = Orders::PostFields("k-1");
  const FieldList text{{"Content-Type", "text/plain"}, {"Idempotency-Key", "k-1"}};
  struct Row {
    std::string method;
    std::string target;
    FieldList fields;
    std::string body;
    int status;
    std::string_view name;
  };
  const Row rows[] = {
      {"POST", "/orders", good, "{", 400, "order-invalid"},
      {"POST", "/orders", good, R"({"user_id":"u","item":"i"})", 400, "order-invalid"},
      {"POST", "/orders", Orders::PostFields(""), Body("5"), 400, "key-missing"},
      {"POST", "/orders", Orders::PostFields("a b"), Body("5"), 400, "key-invalid"},
      {"POST", "/orders", text, Body("5"), 415, "unsupported-media-type"},
      {"POST", "/orders", good, std::string(1024 * 1024 + 1, ' '), 413, "body-too-large"},
      {"DELETE", "/orders", {}, "", 405, "method-not-allowed"},
      {"GET", "/orders", {}, "", 400, "bad-query"},
      {"GET", "/nothing", {}, "", 404, "not-found"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const HttpResponse response =
        AskOnce(orders.port(), row.method, row.target, row.fields, row.body);
    CHECK(response.status == row.status);
    CHECK(response.Field("Content-Type") == "application/problem+json");
    CHECK(response.body.starts_with("{\"type\":\"urn:orders:problem:" + std::string(row.name)));
  }
  CHECK(AskOnce(orders.port(), "PUT", "/orders").Field("Allow") == "GET, HEAD, POST");
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "0");
}

TEST_CASE("a chunked body, a body in pieces and one that is asked for are read") {
  TestDatabase database;
  const Orders orders(database.url());
  HttpClient client(orders.port());
  const std::string head =
      "POST /orders HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";
  const std::string body = Body("5");
  client.Send(head + "Idempotency-Key: k-1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n" +
              body.substr(0, 4) + "\r\n");
  client.Send("25\r\n" + body.substr(4) + "\r\n0\r\n\r\n");
  REQUIRE(body.size() == 4 + 0x25);
  CHECK(client.ReadResponse("POST").status == 201);
  client.Send(head + "Idempotency-Key: k-2\r\nContent-Length: 41\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.ReadResponse("POST").status == 100);
  client.Send(body);
  CHECK(client.ReadResponse("POST").status == 201);
}

TEST_CASE("64 POSTs at once make at most 16 commits") {
  TestDatabase database;
  Orders orders(database.url());
  orders.WaitForDatabase();
  std::vector<std::string> requests;
  for (int i = 0; i < 64; ++i) {
    requests.push_back(
        RequestText("POST", "/orders", Orders::PostFields("k-" + std::to_string(i)), Body("5")));
  }
  for (const HttpResponse& response : AskAtOnce(orders.port(), requests)) {
    CHECK(response.status == 201);
  }
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "64");
  const int commits =
      std::stoi(database.client().Ask("SELECT count(DISTINCT xmin::text) FROM orders"));
  CAPTURE(commits);
  CHECK(commits <= 16);
}

TEST_CASE("40 callers with one key get the bytes of one row") {
  TestDatabase database;
  const Orders orders(database.url());
  const std::string request = RequestText("POST", "/orders", Orders::PostFields("k-1"), Body("5"));
  std::set<std::string> bodies;
  for (const HttpResponse& response :
       AskAtOnce(orders.port(), std::vector<std::string>(40, request))) {
    CHECK(response.status == 201);
    bodies.insert(response.body);
  }
  CHECK(bodies.size() == 1);
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "1");
}

TEST_CASE("two programs over one database keep a key to one row") {
  TestDatabase database;
  const Orders one(database.url());
  const Orders other(database.url());
  std::set<std::string> bodies;
  std::vector<HttpClient> clients;
  for (int i = 0; i < 40; ++i) clients.emplace_back(i % 2 == 0 ? one.port() : other.port());
  for (HttpClient& client : clients) {
    client.Send(RequestText("POST", "/orders", Orders::PostFields("k-1"), Body("5")));
  }
  for (HttpClient& client : clients) bodies.insert(client.ReadResponse("POST").body);
  CHECK(bodies.size() == 1);
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "1");
}

TEST_CASE("--legacy makes a row of every POST") {
  TestDatabase database;
  const Orders orders(database.url(), {"--legacy"});
  const HttpResponse first = orders.Post("k-1", Body("5"));
  const HttpResponse second = orders.Post("k-1", Body("6"));
  CHECK(first.status == 201);
  CHECK(second.status == 201);
  CHECK(orders.Post("", Body("7")).status == 201);
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "3");
  CHECK(orders.Get("/orders?idempotency_key=k-1").body == first.body);
}

TEST_CASE("--fail 500 writes no row") {
  TestDatabase database;
  const Orders orders(database.url(), {"--fail", "500"});
  CHECK(orders.Post("k-1", Body("5")).status == 500);
  CHECK(orders.Get("/orders?idempotency_key=k-1").status == 404);
}

TEST_CASE("--fail drop-after-commit writes the row and cuts the connection") {
  TestDatabase database;
  const Orders orders(database.url(), {"--fail", "drop-after-commit"});
  HttpClient client(orders.port());
  client.Send(RequestText("POST", "/orders", Orders::PostFields("k-1"), Body("5")));
  CHECK(client.ReadEnding() == HttpClient::Ending::kReset);
  CHECK(orders.Get("/orders?idempotency_key=k-1").status == 200);
}

TEST_CASE("--fail hang-after-commit writes the row and never answers") {
  TestDatabase database;
  Orders orders(database.url(), {"--fail", "hang-after-commit"});
  HttpClient client(orders.port());
  client.Send(RequestText("POST", "/orders", Orders::PostFields("k-1"), Body("5")));
  while (orders.Get("/orders?idempotency_key=k-1").status != 200) std::this_thread::yield();
  CHECK(client.Silent(std::chrono::milliseconds(50)));
  orders.process().Signal(SIGTERM);
  CHECK(client.ReadEnding() == HttpClient::Ending::kReset);
  CHECK(orders.process().WaitForExit() == 0);
}

TEST_CASE("--fail-rate fails a share, the same for the same seed") {
  TestDatabase database;
  const auto statuses = [&](const std::string& keys) {
    const Orders orders(database.url(), {"--fail", "500", "--fail-rate", "0.5", "--seed", "1"});
    std::string text;
    for (int i = 0; i < 20; ++i) {
      text += orders.Post(keys + std::to_string(i), Body("5")).status == 201 ? '.' : 'x';
    }
    return text;
  };
  const std::string first = statuses("a-");
  CAPTURE(first);
  CHECK(first.find('.') != std::string::npos);
  CHECK(first.find('x') != std::string::npos);
  CHECK(statuses("b-") == first);
}

TEST_CASE("with the database away every request gets 500, and it comes back by itself") {
  PostgresServer server;
  server.Stop();
  Orders orders(server.url());
  orders.process().WaitForLine(R"("event":"database_unreachable")");
  CHECK(orders.Post("k-1", Body("5")).status == 500);
  CHECK(orders.Get("/orders?idempotency_key=k-1").status == 500);
  CHECK(orders.Get("/healthz").body == R"({"status":"ok","database":"unreachable"})");
  server.Start();
  orders.WaitForDatabase();
  CHECK(orders.Post("k-1", Body("5")).status == 201);
  CHECK(orders.Get("/healthz").body == R"({"status":"ok","database":"reachable"})");

  server.Stop();
  orders.process().WaitForLine(R"("event":"database_unreachable")");
  CHECK(orders.Post("k-2", Body("5")).status == 500);
  server.Start();
  orders.WaitForDatabase();
  CHECK(orders.Post("k-2", Body("5")).status == 201);
  CHECK(orders.Get("/orders?idempotency_key=k-1").status == 200);
}

TEST_CASE("SIGTERM lets a request finish that has begun") {
  TestDatabase database;
  Orders orders(database.url(), {"--delay", "300ms"});
  HttpClient client(orders.port());
  client.Send(RequestText("POST", "/orders", Orders::PostFields("k-1"), Body("5")));
  HttpClient idle(orders.port());
  CHECK(idle.Ask("GET", "/healthz").status == 200);  // the POST was read before this
  orders.process().Signal(SIGTERM);
  const HttpResponse response = client.ReadResponse("POST");
  CHECK(response.status == 201);
  CHECK(response.Field("Connection") == "close");
  CHECK(orders.process().WaitForExit() == 0);
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "1");
}

TEST_CASE("a command line that is wrong is one line and exit code 2") {
  const std::string url = "postgres://127.0.0.1/orders";
  const std::vector<std::vector<std::string>> lines = {
      {},
      {"--database", "mysql://x"},
      {"--database", url, "--listen", "nowhere"},
      {"--database", url, "--delay", "soon"},
      {"--database", url, "--fail", "often"},
      {"--database", url, "--fail-rate", "2"},
      {"--database", url, "--unknown"},
      {"--database"},
  };
  for (const auto& arguments : lines) {
    Process process =
        Process::Start({BuiltProgram("orders"), arguments, {{"ORDERS_DATABASE", ""}}});
    CHECK(process.WaitForExit() == 2);
    const std::string said = process.error_output();
    CAPTURE(said);
    CHECK(said.starts_with("orders: "));
    CHECK(said.find('\n') == said.size() - 1);
  }
}

TEST_CASE("a busy port is one line and exit code 1") {
  TestDatabase database;
  const Orders orders(database.url());
  const std::string address = "127.0.0.1:" + std::to_string(orders.port());
  Process process = Process::Start(
      {BuiltProgram("orders"), {"--database", database.url(), "--listen", address}, {}});
  CHECK(process.WaitForExit() == 1);
  const std::string said = process.error_output();
  CAPTURE(said);
  CHECK(said.starts_with("orders: "));
  CHECK(said.find(address) != std::string::npos);
  CHECK(said.find('\n') == said.size() - 1);
}

TEST_CASE("version and help") {
  Process version = Process::Start({BuiltProgram("orders"), {"--version"}, {}});
  CHECK(version.WaitForExit() == 0);
  CHECK(version.output().starts_with("orders 0."));
  Process help = Process::Start({BuiltProgram("orders"), {"--help"}, {}});
  CHECK(help.WaitForExit() == 0);
  CHECK(help.output().find("--fail-rate") != std::string::npos);
}

}  // namespace idem
