#include "proxy/base/function.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace idem {

namespace {

// Counts its living instances. `Bytes` decides whether a Function stores it inline.
template <std::size_t Bytes>
struct Counted {
  explicit Counted(int& alive) : alive_(&alive) { ++*alive_; }
  Counted(Counted&& other) noexcept : alive_(other.alive_), calls_(other.calls_) { ++*alive_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --*alive_; }
  int operator()(int value) { return value + ++calls_; }

 private:
  int* alive_;
  int calls_ = 0;
  std::array<char, Bytes> ballast_{};
};

template <class Callable>
void CheckLife() {
  int alive = 0;
  {
    Function<int(int)> first = Callable(alive);
    CHECK(alive == 1);
    CHECK(first(10) == 11);
    Function<int(int)> second = std::move(first);
    CHECK_FALSE(static_cast<bool>(first));  // NOLINT(bugprone-use-after-move): it is what is tested
    CHECK(alive == 1);
    CHECK(second(10) == 12);  // its state was moved too
    Function<int(int)> third = Callable(alive);
    CHECK(alive == 2);
    third = std::move(second);
    CHECK(alive == 1);
    CHECK(third(10) == 13);
    third = nullptr;
    CHECK(alive == 0);
    CHECK_FALSE(static_cast<bool>(third));
    first = Callable(alive);
    CHECK(alive == 1);
  }
  CHECK(alive == 0);
}

int Twice(int value) { return 2 * value; }

}  // namespace

TEST_CASE("a callable is owned once, moved with its state and destroyed once, inline or not") {
  CheckLife<Counted<1>>();
  CheckLife<Counted<200>>();
}

TEST_CASE("a function owns what cannot be copied") {
  auto owned = std::make_unique<std::string>("kept");
  Function<std::string()> function = [owned = std::move(owned)] { return *owned; };
  CHECK(function() == "kept");
}

TEST_CASE("arguments that only move are handed on") {
  Function<int(std::unique_ptr<int>)> take = [](std::unique_ptr<int> number) { return *number; };
  CHECK(take(std::make_unique<int>(7)) == 7);
  Function<void(int&)> raise = [](int& number) { ++number; };
  int number = 1;
  raise(number);
  CHECK(number == 2);
}

TEST_CASE("a plain function is a callable too, and an empty one is none") {
  Function<int(int)> function = Twice;
  CHECK(function(4) == 8);
  CHECK_FALSE(static_cast<bool>(Function<void()>()));
  CHECK_FALSE(static_cast<bool>(Function<void()>(nullptr)));
}

}  // namespace idem
