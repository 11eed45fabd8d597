#include "proxy/base/ticket.h"

#include <doctest/doctest.h>

namespace idem {

TEST_CASE("an answer runs the callback once") {
  int answers = 0;
  auto [ticket, completion] = Ask<int>([&](int value) { answers += value; });
  CHECK(ticket.open());
  CHECK(completion.awaited());
  completion(3);
  CHECK(answers == 3);
  CHECK_FALSE(ticket.open());
  CHECK_FALSE(completion.awaited());
}

TEST_CASE("a dropped ticket withdraws the question, and its answer goes nowhere") {
  bool answered = false;
  auto [ticket, completion] = Ask<int>([&](int) { answered = true; });
  ticket = Ticket();
  CHECK_FALSE(completion.awaited());
  completion(1);
  CHECK_FALSE(answered);
}

TEST_CASE("a ticket may be dropped from inside its own callback") {
  Ticket kept;
  int answers = 0;
  auto [ticket, completion] = Ask<int>([&](int) {
    ++answers;
    kept = Ticket();
  });
  kept = std::move(ticket);
  completion(1);
  CHECK(answers == 1);
}

}  // namespace idem
