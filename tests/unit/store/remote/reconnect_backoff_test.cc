#include "proxy/store/remote/reconnect_backoff.h"

#include <doctest/doctest.h>

#include <chrono>

namespace idem::store {

using std::chrono::milliseconds;

TEST_CASE(
    "pauses between attempts grow to two seconds, with a random part, and start again after a "
    "connection") {
  SystemRandom random;
  ReconnectBackoff reconnection(random, "server_unavailable", false);
  for (const int full_ms : {50, 100, 200, 400, 800, 1600, 2000, 2000, 2000}) {
    CAPTURE(full_ms);
    const Duration pause = reconnection.NextPause();
    CHECK(pause >= milliseconds(full_ms) / 2);
    CHECK(pause < milliseconds(full_ms));
  }
  reconnection.Succeed();
  CHECK(reconnection.NextPause() < milliseconds(50));
}

}  // namespace idem::store
