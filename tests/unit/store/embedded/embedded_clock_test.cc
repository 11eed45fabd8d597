#include "proxy/store/embedded/embedded_clock.h"

#include <doctest/doctest.h>

namespace idem::store {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr StoreTime kStamp{hours(1000)};

struct Clock {
  StoreTime calendar = kStamp;
  BootTime boot{hours(3)};
  EmbeddedClock clock{[this] { return calendar; }, [this] { return boot; }};
};

}  // namespace

TEST_CASE("the store's clock starts from the calendar and is driven by the boot clock") {
  Clock of;
  CHECK_FALSE(of.clock.Start(std::nullopt).has_value());
  CHECK(of.clock.Now() == kStamp);
  of.calendar -= hours(5);
  of.boot += seconds(7);
  CHECK(of.clock.Now() == kStamp + seconds(7));
}

TEST_CASE("a start goes on behind the newest stamp, and warns where the calendar is wrong") {
  struct Row {
    milliseconds calendar;  // from the stamp
    milliseconds start;
    bool is_wrong;
  };
  const Row rows[] = {
      {hours(2), hours(2), false},
      {seconds(1), seconds(1), false},
      {milliseconds(0), seconds(1), false},
      {-seconds(1), seconds(1), false},
      {-seconds(60), seconds(1), false},
      {-milliseconds(60'001), seconds(1), true},
      {-hours(24), seconds(1), true},
      {hours(24 * 30), hours(24 * 30), false},
      {hours(24 * 30) + milliseconds(1), hours(24 * 30) + milliseconds(1), true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.calendar.count());
    Clock of;
    of.calendar += row.calendar;
    CHECK(of.clock.Start(kStamp).has_value() == row.is_wrong);
    CHECK(of.clock.Now() == kStamp + row.start);

    const StoreTime just_now = of.clock.Now() - milliseconds(1);
    CHECK(of.clock.HasExpired(kStamp));
    CHECK(of.clock.HasExpired(just_now) == (just_now <= kStamp || !row.is_wrong));
    of.boot += hours(1);
    CHECK(of.clock.HasExpired(just_now));
  }
}

TEST_CASE("starts that follow each other at once are no reason to doubt the calendar") {
  StoreTime stamp = kStamp;
  for (int i = 0; i < 20; ++i) {
    Clock of;
    CHECK_FALSE(of.clock.Start(stamp).has_value());
    CHECK(of.clock.Now() > stamp);
    stamp = of.clock.Now();
  }
}

TEST_CASE("nothing has expired before the clock has started") {
  Clock of;
  CHECK_FALSE(of.clock.HasExpired(StoreTime{}));
}

}  // namespace idem::store
