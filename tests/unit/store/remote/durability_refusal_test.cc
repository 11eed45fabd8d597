#include "proxy/store/remote/durability_refusal.h"

#include <doctest/doctest.h>

namespace idem::store {

TEST_CASE("a server that may forget is refused where durability is required, with every reason") {
  CHECK_FALSE(DurabilityRefusal("Server at h", {}, true));
  CHECK_FALSE(DurabilityRefusal("Server at h", {"it forgets", "it evicts"}, false));
  const auto refusal = DurabilityRefusal("Server at h", {"it forgets", "it evicts"}, true);
  REQUIRE(refusal);
  CHECK(refusal->code == ErrorCode::kRefused);
  CHECK(refusal->detail ==
        "Server at h may forget, and store.require_durable is set: it forgets; it evicts");
}

}  // namespace idem::store
