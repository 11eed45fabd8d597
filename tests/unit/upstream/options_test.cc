#include "upstream/options.h"

#include <doctest/doctest.h>

namespace idem::upstream {

namespace {

RawOptions Good() {
  RawOptions texts;
  texts.database = "postgres://me:secret@db:5433/orders";
  return texts;
}

}  // namespace

TEST_CASE("options have defaults, all but the database") {
  const auto options = ReadOptions(Good());
  REQUIRE(options);
  CHECK(options->listen == event::Endpoint{"127.0.0.1", 9000, ""});
  CHECK(options->database.ToText() == "db:5433/orders");
  CHECK(options->plan.fault == Fault::kNone);
  CHECK(options->plan.delay == Duration::zero());
  CHECK_FALSE(ReadOptions({}));
}

TEST_CASE("a wrong option is named") {
  struct Row {
    std::string_view option;
    std::string RawOptions::*member;
    std::string_view value;
  };
  for (const Row& row : {
           Row{"--listen", &RawOptions::listen, "nowhere"},
           Row{"--database", &RawOptions::database, "mysql://db"},
           Row{"--database", &RawOptions::database, "postgres://me:secret@a,b/orders"},
           Row{"--delay", &RawOptions::delay, "50"},
           Row{"--delay", &RawOptions::delay, "-1s"},
           Row{"--delay", &RawOptions::delay, "1.5s"},
           Row{"--delay", &RawOptions::delay, "99999999999999999999d"},
           Row{"--fail", &RawOptions::fail, "501"},
           Row{"--fail-rate", &RawOptions::fail_rate, "1.1"},
           Row{"--fail-rate", &RawOptions::fail_rate, "-0.1"},
           Row{"--fail-rate", &RawOptions::fail_rate, "nan"},
           Row{"--fail-rate", &RawOptions::fail_rate, "half"},
           Row{"--seed", &RawOptions::seed, "x"},
           Row{"--log-level", &RawOptions::log_level, "loud"},
       }) {
    CAPTURE(row.value);
    RawOptions texts = Good();
    texts.*row.member = row.value;
    const auto options = ReadOptions(texts);
    REQUIRE_FALSE(options);
    CHECK(options.error().detail.starts_with(std::string(row.option) + ": "));
    CHECK(options.error().detail.find("secret") == std::string::npos);
  }
}

}  // namespace idem::upstream
