// Tests that the auditor detects each violation.
#include "tests/chaos/effect_ledger.h"

#include <doctest/doctest.h>

namespace idem::chaos {

namespace {

constexpr Milliseconds kDelay{100};

struct Run {
  Ledger ledger{kDelay};
  void Answer(const std::string& answer, bool unrecorded = false) {
    ledger.Executed(0, "k", 201, answer, answer, unrecorded, Clock::now());
  }
};

FaultSpan Span(ProxySet proxies, Moment begin, Moment end) {
  return {"kill -9", std::move(proxies), true, begin, end};
}

}  // namespace

TEST_CASE("one effect, and the same answer to all, is what is wanted") {
  Run run;
  run.Answer("order id-1");
  run.Answer("order id-1");
  const Verdict verdict = run.ledger.Audit({{"k", {"id-1"}}});
  CHECK(verdict.executed_twice + verdict.answers_differ + verdict.acknowledged_lost +
            verdict.unexpected ==
        0);
  CHECK(run.ledger.open_keys() == 0);
}

TEST_CASE("the auditor sees two effects, two answers, a loss, and what nobody asked for") {
  Run run;
  run.Answer("order id-1");
  CHECK(run.ledger.Audit({{"k", {"id-1", "id-2"}}}).executed_twice == 1);
  CHECK(run.ledger.Audit({}).acknowledged_lost == 1);
  CHECK(run.ledger.Audit({{"k", {"id-2"}}}).acknowledged_lost == 1);
  CHECK(run.ledger.Audit({{"k", {"id-1"}}, {"other", {"id-3"}}}).unexpected == 1);
  run.Answer("order id-1, but other");
  CHECK(run.ledger.Audit({{"k", {"id-1"}}}).answers_differ == 1);
}

TEST_CASE("an answer marked unrecorded may differ, and what it acknowledges must be there") {
  Run run;
  run.Answer("order id-1");
  run.Answer("order id-1, as it went out", true);
  const Verdict verdict = run.ledger.Audit({{"k", {"id-1"}}});
  CHECK(verdict.answers_differ == 0);
  CHECK(verdict.unrecorded == 1);
  CHECK(run.ledger.Audit({}).acknowledged_lost == 1);
}

TEST_CASE("an unknown key is open until somebody gets its answer") {
  Run run;
  run.ledger.Unknown("k");
  CHECK(run.ledger.open_keys() == 1);
  CHECK(run.ledger.Audit({}).keys_unknown == 1);
  run.Answer("order id-1");
  CHECK(run.ledger.open_keys() == 0);
}

TEST_CASE("a key meets the faults of its proxy from its sending until the backend may answer") {
  struct Row {
    Milliseconds begin, end;  // counted from the sending
    std::size_t proxy;
    bool meets;
  };
  const Row rows[] = {
      {Milliseconds(-50), Milliseconds(-10), 0, false},  // ended before
      {Milliseconds(-50), Milliseconds(50), 0, true},    //
      {Milliseconds(50), Milliseconds(500), 0, true},    //
      {Milliseconds(50), Milliseconds(500), 1, false},   // at another proxy
      {Milliseconds(500), Milliseconds(600), 0, false},  // the record may exist by then
  };
  for (const Row& row : rows) {
    CAPTURE(row.begin.count());
    CAPTURE(row.proxy);
    Run run;
    const Moment before = Clock::now();
    run.ledger.Forwarded(0, "k");
    run.ledger.Mended(Span({row.proxy}, before + row.begin, before + row.end));
    CHECK(run.ledger.Audit({}).keys_met == (row.meets ? 1 : 0));
  }
}

TEST_CASE("the time to recover is that to the first answer asked for after the fault") {
  Run run;
  run.Answer("before");
  run.ledger.Mended(Span({0}, Clock::now(), Clock::now()));
  CHECK(run.ledger.Recoveries().at("kill -9").times.empty());
  run.Answer("after");
  run.Answer("after");
  CHECK(run.ledger.Recoveries().at("kill -9").count == 1);
  CHECK(run.ledger.Recoveries().at("kill -9").times.size() == 1);
}

}  // namespace idem::chaos
