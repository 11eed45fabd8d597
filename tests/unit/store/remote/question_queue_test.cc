#include "proxy/store/remote/question_queue.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/virtual_loop.h"
#include "tests/unit/store/remote/scripted_link.h"

namespace idem::store {

using std::chrono::milliseconds;

namespace {

struct Entry : QuestionState {
  [[nodiscard]] std::size_t bytes() const { return name.size(); }
  auto TakeCallback() { return std::move(on_answer); }

  std::string name;
  Function<void(Result<std::string>)> on_answer;
};

// A store that sends everything that waits, and answers what the test wants.
struct Fixture : RemoteLinkEvents {
  explicit Fixture(const QuestionLimits& limits = {.timeout = milliseconds(800),
                                                   .silence_max = milliseconds(2400),
                                                   .questions_max = 4,
                                                   .bytes_max = 100})
      : queue(loop, link, limits, [this] { Send(); }) {
    link.Start();
  }

  void OnLinkReady() override { Send(); }
  void OnLinkLost(const Error& why) override { queue.FailSent(why); }

  void Send() {
    if (!link.ready()) return;
    ++sendings;
    if (queue.sent().empty()) queue.NoteProgress();
    while (!queue.waiting().empty()) {
      queue.sent().push_back(std::move(queue.waiting().front()));
      queue.waiting().pop_front();
    }
  }

  bool Ask(const std::string& name, QuestionLoad others = {}) {
    Entry entry;
    entry.name = name;
    entry.on_answer = [this, name](const Result<std::string>& answer) {
      CHECK_FALSE(answers.contains(name));
      answers[name] = answer ? *answer : answer.error().detail;
      if (name == "curious") Ask("again");
    };
    const bool taken = queue.Ask(std::move(entry), others);
    if (taken && link.ready()) queue.SendLater();
    return taken;
  }

  void AnswerFirst(std::string answer) {
    queue.NoteProgress();
    Entry entry = std::move(queue.sent().front());
    queue.sent().pop_front();
    if (!entry.answered) queue.Answer(entry, std::move(answer));
  }

  support::VirtualLoop loop;
  ScriptedLink link{loop, *this};
  QuestionQueue<Entry> queue;
  std::map<std::string, std::string> answers;
  int sendings = 0;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "questions of one turn are sent together on the next") {
  link.Succeed();
  const int before = sendings;
  CHECK(Ask("a"));
  CHECK(Ask("b"));
  CHECK(queue.sent().empty());
  loop.Settle();
  CHECK(sendings == before + 1);
  CHECK(queue.sent().size() == 2);
  AnswerFirst("1");
  AnswerFirst("2");
  CHECK(answers == std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}});
  CHECK(queue.load().questions == 0);
  CHECK(queue.load().bytes == 0);
  loop.Advance(milliseconds(100));
  CHECK(loop.idle());  // no timer runs for an empty queue
}

TEST_CASE_FIXTURE(Fixture, "a question waits for the first connection") {
  CHECK(Ask("a"));
  loop.Advance(milliseconds(700));
  CHECK(answers.empty());
  link.Succeed();
  CHECK(queue.sent().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "after the grace, questions that wait and new ones fail") {
  link.Succeed();
  link.Break("closed the connection");
  CHECK(Ask("waiting"));
  loop.Advance(milliseconds(200));
  CHECK(answers.empty());
  loop.Advance(milliseconds(100));  // the timer's step
  CHECK(answers["waiting"] == "Server at test:1 closed the connection");
  CHECK_FALSE(Ask("late"));
  CHECK_FALSE(answers.contains("late"));  // never inside Ask()
  loop.Settle();
  CHECK(answers["late"] == "Server at test:1 closed the connection");
}

TEST_CASE("a queue that is full refuses on a later turn") {
  struct Row {
    std::vector<std::string> taken;
    QuestionLoad others;
  };
  const Row rows[] = {
      {{"a", "b", "c", "d"}, {}},
      {{"a"}, {.questions = 3, .bytes = 0}},
      {{std::string(100, 'a')}, {}},
      {{}, {.questions = 0, .bytes = 100}},
  };
  for (const Row& row : rows) {
    Fixture store;
    for (const std::string& name : row.taken) CHECK(store.Ask(name));
    CHECK_FALSE(store.Ask("more", row.others));
    CHECK(store.answers.empty());
    store.loop.Settle();
    CHECK(store.answers["more"] == "Server at test:1 has too many questions to answer");
  }
}

TEST_CASE_FIXTURE(Fixture, "a question that is not answered in time fails and keeps its place") {
  link.Succeed();
  Ask("slow");
  loop.Advance(milliseconds(799));
  CHECK(answers.empty());
  loop.Advance(milliseconds(100));
  CHECK(answers["slow"] == "Server at test:1 did not answer in time");
  CHECK(queue.sent().size() == 1);
  CHECK(queue.load().bytes == 0);
  CHECK(queue.unavailable_reason() == "Server at test:1 does not answer");
  AnswerFirst("too late");
  CHECK(answers["slow"] == "Server at test:1 did not answer in time");
  CHECK_FALSE(queue.unavailable_reason());
}

TEST_CASE_FIXTURE(Fixture, "a question that was not sent in time fails as too busy") {
  link.Succeed();
  Ask("sent");
  loop.Settle();
  queue.waiting().push_back(std::move(queue.sent().front()));  // as an owner that sends it again
  queue.sent().clear();
  loop.Advance(milliseconds(899));
  CHECK(answers["sent"] == "Server at test:1 is too busy");
}

TEST_CASE_FIXTURE(Fixture, "a link that is lost fails what was sent, and keeps what waits") {
  link.Succeed();
  Ask("sent");
  loop.Settle();
  Ask("waiting");
  link.Break("closed the connection");
  CHECK(
      answers ==
      std::map<std::string, std::string>{
          {"sent", "Server at test:1 closed the connection; the question may have taken effect"}});
  link.Succeed();
  REQUIRE(queue.sent().size() == 1);
  AnswerFirst("1");
  CHECK(answers["waiting"] == "1");
}

TEST_CASE_FIXTURE(Fixture, "a server that is silent for too long is dropped") {
  link.Succeed();
  Ask("lost");
  loop.Advance(milliseconds(2399));
  CHECK(link.ready());
  loop.Advance(milliseconds(101));
  CHECK_FALSE(link.ready());
  CHECK(link.unavailable_reason().detail == "Server at test:1 does not answer");
}

TEST_CASE_FIXTURE(Fixture, "a reply, even to a question that timed out, is progress") {
  link.Succeed();
  for (const char* name : {"a", "b", "c"}) Ask(name);
  loop.Advance(milliseconds(2000));
  AnswerFirst("1");
  loop.Advance(milliseconds(2000));
  CHECK(link.ready());
}

TEST_CASE("without a limit a silent server is not dropped") {
  Fixture store({.timeout = milliseconds(800)});
  store.link.Succeed();
  store.Ask("lost");
  store.loop.Advance(std::chrono::minutes(1));
  CHECK(store.link.ready());
  CHECK(store.answers.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "an answer may cause a new question") {
  link.Succeed();
  SUBCASE("when it times out") {
    Ask("curious");
    loop.Advance(milliseconds(900));
  }
  SUBCASE("when the link is lost") {
    Ask("curious");
    loop.Settle();
    link.Break("closed the connection");
  }
  CHECK(answers.contains("curious"));
  CHECK_FALSE(answers.contains("again"));
  CHECK(queue.waiting().size() + queue.sent().size() >= 1);
  loop.Advance(milliseconds(1800));
  CHECK(answers.contains("again"));
}

}  // namespace idem::store
