#include "upstream/postgres/statement_batcher.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/postgres_server.h"
#include "tests/support/run_loop.h"

namespace idem::libpq {

namespace {

/// A row is the text of a number; its answer is the number as the database casts it.
class Casts final : public BatchCodec<std::string, std::string> {
 public:
  Statement Make(std::span<const std::string> rows) const override {
    sizes.push_back(rows.size());
    Array texts(Array::Of::kText);
    for (const std::string& row : rows) texts.Add(row);
    return {"SELECT (t::int * 2)::text FROM unnest($1) AS rows (t)", {std::move(texts).Take()}};
  }
  std::vector<std::optional<std::string>> Read(std::span<const std::string> rows,
                                               const Rows& result) const override {
    std::vector<std::optional<std::string>> answers;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool not_yet = rows[i] == "7" && sevens_hidden > 0;
      answers.push_back(not_yet ? std::nullopt : std::optional(std::string(result.Text(i, 0))));
    }
    sevens_hidden = std::max(0, sevens_hidden - 1);
    return answers;
  }
  mutable std::vector<std::size_t> sizes;
  mutable int sevens_hidden = 0;
};

struct Fixture {
  explicit Fixture(BatcherOptions options = {})
      : pool(loop, resolver, *Url::Parse(database.url()), {}),
        grouped(loop, pool, casts, options) {}

  /// Sends all rows in one turn and waits for their answers. An error is its code.
  std::vector<std::string> AskAll(const std::vector<std::string>& rows) {
    std::vector<std::string> answers(rows.size());
    std::vector<Ticket> tickets;
    std::size_t count = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      tickets.push_back(grouped.Ask(rows[i], [&, i](Result<std::string> answer) {
        ++count;
        answers[i] = answer ? *answer : "error " + std::to_string(int(answer.error().code));
      }));
    }
    support::RunUntil(loop, [&] { return count == rows.size(); });
    return answers;
  }

  support::TestDatabase database;
  event::EventLoop loop;
  event::Resolver resolver;
  Pool pool;
  Casts casts;
  StatementBatcher<std::string, std::string> grouped;
};

const std::string kInvalid = "error " + std::to_string(int(ErrorCode::kInvalid));
const std::string kUnavailable = "error " + std::to_string(int(ErrorCode::kUnavailable));

}  // namespace

TEST_CASE("questions of one turn share a statement") {
  Fixture fixture;
  std::vector<std::string> rows, doubled;
  for (int i = 100; i < 164; ++i) {
    rows.push_back(std::to_string(i));
    doubled.push_back(std::to_string(2 * i));
  }
  CHECK(fixture.AskAll(rows) == doubled);
  CHECK(fixture.casts.sizes == std::vector<std::size_t>{64});
}

TEST_CASE("a group is never larger than its maximum") {
  Fixture fixture({.rows_max = 10});
  CHECK(fixture.AskAll(std::vector<std::string>(35, "1")) == std::vector<std::string>(35, "2"));
  CHECK(*std::max_element(fixture.casts.sizes.begin(), fixture.casts.sizes.end()) == 10);
}

TEST_CASE("a value that is refused fails its own row alone") {
  Fixture fixture;
  CHECK(fixture.AskAll({"1", "x", "3"}) == std::vector<std::string>{"2", kInvalid, "6"});
  CHECK(fixture.AskAll({"y"}) == std::vector<std::string>{kInvalid});
}

TEST_CASE("a row that is not found is asked again, and not without end") {
  Fixture fixture({.attempts_max = 3});
  fixture.casts.sevens_hidden = 2;
  CHECK(fixture.AskAll({"6", "7"}) == std::vector<std::string>{"12", "14"});
  CHECK(fixture.casts.sizes.size() == 3);
  fixture.casts.sevens_hidden = 100;
  CHECK(fixture.AskAll({"7", "8"}) == std::vector<std::string>{kUnavailable, "16"});
}

TEST_CASE("beyond a number that waits, questions are refused") {
  Fixture fixture({.waiting_max = 2});
  CHECK(fixture.AskAll({"1", "2", "3"}) == std::vector<std::string>{"2", "4", kUnavailable});
}

}  // namespace idem::libpq
