// The bundled order service: an upstream for idemproxy, with PostgreSQL behind it.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "upstream/options.h"
#include "upstream/serve.h"

namespace {

constexpr int kExitUsage = 2;

void AddOptions(CLI::App& app, idem::upstream::RawOptions& texts) {
  app.add_option("--listen", texts.listen, "address to serve, such as 127.0.0.1:9000")
      ->capture_default_str();
  app.add_option("--database", texts.database, "postgres://user:password@host:port/database")
      ->envname("ORDERS_DATABASE");
  app.add_flag("--legacy", texts.legacy,
               "drop no duplicates: every POST writes a new row, like an old backend");
  app.add_option("--delay", texts.delay, "wait before each row is written, such as 50ms")
      ->capture_default_str();
  app.add_option("--fail", texts.fail,
                 "fail on purpose: 500 (no row), drop-after-commit (a row, then the connection is "
                 "cut), hang-after-commit (a row, then no answer)");
  app.add_option("--fail-rate", texts.fail_rate, "share of the POSTs that fail, 0 to 1")
      ->capture_default_str();
  app.add_option("--seed", texts.seed, "number that makes the choice of --fail-rate repeatable");
  app.add_option("--log-level", texts.log_level, "debug, info, warn or error")
      ->capture_default_str();
  app.set_version_flag("--version", "orders " IDEM_VERSION);
}

int Fail(const std::string& what) {
  std::fprintf(stderr, "orders: %s\n", what.c_str());
  return kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "An order service over PostgreSQL: POST /orders, GET /orders/{id}, "
      "GET /orders?idempotency_key=K, GET /healthz",
      "orders");
  idem::upstream::RawOptions texts;
  AddOptions(app, texts);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wish) {  // --help, --version
    return app.exit(wish);
  } catch (const CLI::ParseError& error) {
    return Fail(error.what());
  }
  const auto options = idem::upstream::ReadOptions(texts);
  if (!options) return Fail(options.error().detail);
  return idem::upstream::Serve(*options);
}
