#include "proxy/base/result.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

namespace idem {

namespace {

Result<std::string> Answer(bool well) {
  if (well) return std::string("a value");
  return Error{ErrorCode::kTimeout, "no answer in 5 s", Delivery::kMaybeSent};
}

}  // namespace

TEST_CASE("a result is its value") {
  Result<std::string> result = Answer(true);
  CHECK(result.has_value());
  CHECK(static_cast<bool>(result));
  CHECK(*result == "a value");
  CHECK(result->size() == 7);
  *result = "another";
  CHECK(result.value() == "another");
}

TEST_CASE("or a result is its error") {
  const Result<std::string> result = Answer(false);
  REQUIRE_FALSE(result.has_value());
  CHECK_FALSE(static_cast<bool>(result));
  CHECK(result.error().code == ErrorCode::kTimeout);
  CHECK(result.error().detail == "no answer in 5 s");
  CHECK(result.error().delivery == Delivery::kMaybeSent);
}

TEST_CASE("a value that only moves is moved out") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> number = *std::move(result);
  CHECK(*number == 7);
  Result<std::unique_ptr<int>> failed = Error{ErrorCode::kCorrupt, "gone"};
  const Error error = std::move(failed).error();
  CHECK(error.detail == "gone");
  CHECK(error.delivery == Delivery::kNotSent);
}

TEST_CASE("a status carries nothing but success") {
  CHECK(Ok().has_value());
  const Status failed = Error{ErrorCode::kRefused, "disk full"};
  CHECK_FALSE(failed.has_value());
}

}  // namespace idem
