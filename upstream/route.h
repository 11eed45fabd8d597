// Which resource a request means, and what its head says about it. Pure functions of the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/http/message.h"
#include "upstream/answer.h"

namespace idem::upstream {

struct CreateOrder {
  std::optional<std::string> key;  // nullopt: none was sent, and none is needed
};
struct FindOrderById {
  std::string id;
};
struct FindOrderByKey {
  std::string key;
};
struct ShowHealth {};

/// What is to be done, or the answer if that is decided by the head alone.
using Route = std::variant<CreateOrder, FindOrderById, FindOrderByKey, ShowHealth, OrderResponse>;

/// `key_required`: a POST without an Idempotency-Key is answered 400.
[[nodiscard]] Route ReadRoute(const http::RequestHead& head, bool key_required);

}  // namespace idem::upstream
