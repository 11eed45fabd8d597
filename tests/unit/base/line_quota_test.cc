#include "proxy/base/line_quota.h"

#include <doctest/doctest.h>

namespace idem {

TEST_CASE("of one kind of line so many are written in a second, and the rest is counted") {
  using std::chrono::seconds;
  LineQuota quota;
  for (std::uint64_t i = 0; i < LineQuota::kLinesMax; ++i) CHECK(quota.Take(seconds(5)) == 0);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(quota.Take(seconds(5)).has_value());
  CHECK(quota.Take(seconds(6)) == 3);
  CHECK(quota.Take(seconds(6)) == 0);
  CHECK(quota.Take(seconds(3)) == 0);  // a clock that was set back
}

}  // namespace idem
