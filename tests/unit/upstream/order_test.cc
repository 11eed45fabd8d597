#include "upstream/order.h"

#include <doctest/doctest.h>

namespace idem::upstream {

TEST_CASE("an order goes out with its amount as the number it is") {
  Order order{"0b6f0ea9-8a8f-4c5e-9f4e-0123456789ab",
              {"u\"1", "tea", "0.10"},
              "k-1",
              "2026-01-02T03:04:05.678901Z"};
  CHECK(ToJson(order) ==
        R"({"order":{"id":"0b6f0ea9-8a8f-4c5e-9f4e-0123456789ab","user_id":"u\"1","item":"tea",)"
        R"("amount":0.10,"idempotency_key":"k-1","created_at":"2026-01-02T03:04:05.678901Z"}})");
  order.key.reset();
  CHECK(ToJson(order).find(R"("idempotency_key":null)") != std::string::npos);
}

TEST_CASE("orders are the same by their values") {
  const OrderRequest order{"u", "i", "5.00"};
  CHECK(SameOrder(order, {"u", "i", "5"}));
  CHECK_FALSE(SameOrder(order, {"u", "i", "50"}));
  CHECK_FALSE(SameOrder(order, {"u", "j", "5.00"}));
  CHECK_FALSE(SameOrder(order, {"v", "i", "5.00"}));
}

TEST_CASE("a new identifier is a random UUID") {
  SystemRandom random;
  const std::string one = NewUuid(random);
  CAPTURE(one);
  CHECK(IsUuid(one));
  CHECK(one[14] == '4');
  CHECK(std::string_view("89ab").find(one[19]) != std::string_view::npos);
  CHECK(one != NewUuid(random));
}

TEST_CASE("a text that is no UUID is refused") {
  CHECK(IsUuid("0B6F0EA9-8a8f-4c5e-9f4e-0123456789ab"));
  for (const std::string_view text :
       {"", "0b6f0ea9", "0b6f0ea9-8a8f-4c5e-9f4e-0123456789a",
        "0b6f0ea9-8a8f-4c5e-9f4e-0123456789ag", "0b6f0ea98a8f-4c5e-9f4e-0123456789ab-",
        "0b6f0ea9-8a8f-4c5e-9f4e-0123456789ab0"}) {
    CAPTURE(text);
    CHECK_FALSE(IsUuid(text));
  }
}

}  // namespace idem::upstream
