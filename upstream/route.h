// Maps the head of a request to a resource. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/http/message.h"
#include "upstream/answer.h"

namespace idem::upstream {

struct CreateOrder {
  std::optional<std::string> key;  // nullopt: no key was sent, and none is needed
};
struct FindOrderById {
  std::string id;
};
struct FindOrderByKey {
  std::string key;
};
struct ShowHealth {};

/// The action, or the response if the head decides it.
using Route = std::variant<CreateOrder, FindOrderById, FindOrderByKey, ShowHealth, OrderResponse>;

/// With `key_required` a POST without an Idempotency-Key gets 400.
[[nodiscard]] Route ReadRoute(const http::RequestHead& head, bool key_required);

}  // namespace idem::upstream
