#include "upstream/route.h"

#include <doctest/doctest.h>

namespace idem::upstream {

namespace {

constexpr std::string_view kId = "0b6f0ea9-8a8f-4c5e-9f4e-0123456789ab";

http::RequestHead Head(std::string_view method, std::string_view target) {
  http::RequestHead head;
  head.method = method;
  head.target = target;
  return head;
}

http::RequestHead Post(std::string_view content_type, std::string_view key) {
  http::RequestHead head = Head("POST", "/orders");
  if (!content_type.empty()) head.fields.Add("Content-Type", content_type);
  if (!key.empty()) head.fields.Add("Idempotency-Key", key);
  return head;
}

std::uint16_t StatusOf(const Route& route) {
  const auto* answer = std::get_if<OrderResponse>(&route);
  return answer == nullptr ? std::uint16_t{0} : answer->status;
}

}  // namespace

TEST_CASE("a path and a method choose what is done") {
  struct Row {
    std::string_view method;
    std::string target;
    std::size_t index;     // of the alternative
    std::uint16_t status;  // 0 if the head alone does not decide it
  };
  const std::string one = "/orders/" + std::string(kId);
  const Row rows[] = {
      {"GET", one, 1, 0},
      {"HEAD", one, 1, 0},
      {"GET", one + "?x=y", 1, 0},
      {"GET", "/orders?idempotency_key=k-1", 2, 0},
      {"GET", "/orders?a=b&idempotency_key=k%2D1&c", 2, 0},
      {"GET", "/healthz", 3, 0},
      {"GET", "/orders", 4, 400},
      {"GET", "/orders?", 4, 400},
      {"GET", "/orders?idempotency_key=", 4, 400},
      {"GET", "/orders?idempotency_key=a&idempotency_key=a", 4, 400},
      {"GET", "/orders?idempotency_key=%", 4, 400},
      {"GET", "/orders?idempotency_key=%4", 4, 400},
      {"GET", "/orders?idempotency_key=%zz", 4, 400},
      {"GET", "/orders?idempotency_key=%00", 4, 400},
      {"GET", "/orders?idempotency_key=%C3%BC", 4, 400},
      {"GET", "/orders/", 4, 404},
      {"GET", "/orders/17", 4, 404},
      {"GET", one + "/", 4, 404},
      {"GET", "/", 4, 404},
      {"GET", "*", 4, 404},
      {"GET", "/ordersx", 4, 404},
      {"DELETE", "/orders", 4, 405},
      {"DELETE", one, 4, 405},
      {"POST", one, 4, 405},
      {"POST", "/healthz", 4, 405},
  };
  for (const Row& row : rows) {
    CAPTURE(row.method);
    CAPTURE(row.target);
    const Route route = ReadRoute(Head(row.method, row.target), true);
    CHECK(route.index() == row.index);
    CHECK(StatusOf(route) == row.status);
  }
}

TEST_CASE("405 says what is allowed") {
  const auto allow = [](std::string_view target) {
    return std::get<OrderResponse>(ReadRoute(Head("PUT", target), true)).allow;
  };
  CHECK(allow("/orders") == "GET, HEAD, POST");
  CHECK(allow("/healthz") == "GET, HEAD");
  CHECK(allow("/orders/" + std::string(kId)) == "GET, HEAD");
}

TEST_CASE("a key in a query is percent-decoded, and a plus is a plus") {
  const Route route = ReadRoute(Head("GET", "/orders?idempotency_key=a+b%2B%26"), true);
  CHECK(std::get<FindOrderByKey>(route).key == "a+b+&");
}

TEST_CASE("a POST needs JSON and, unless that is off, a key") {
  struct Row {
    std::string_view type;
    std::string_view key;
    bool required;
    std::uint16_t status;
  };
  for (const Row& row : {
           Row{"application/json", "k-1", true, 0},
           Row{"Application/JSON", "\"k-1\"", true, 0},
           Row{"application/json; charset=utf-8", "k-1", true, 0},
           Row{"application/json ;charset=latin1", "k-1", true, 0},
           Row{"", "k-1", true, 415},
           Row{"text/plain", "k-1", true, 415},
           Row{"application/jsonx", "k-1", true, 415},
           Row{"application/json, text/plain", "k-1", true, 415},
           Row{"application/json", "", true, 400},
           Row{"application/json", "", false, 0},
           Row{"application/json", "a b", true, 400},
           Row{"application/json", "a,b", false, 400},
       }) {
    CAPTURE(row.type);
    CAPTURE(row.key);
    const Route route = ReadRoute(Post(row.type, row.key), row.required);
    CHECK(StatusOf(route) == row.status);
    if (row.status != 0) continue;
    const auto& key = std::get<CreateOrder>(route).key;
    CHECK(key.has_value() == !row.key.empty());
    if (key) CHECK(*key == "k-1");
  }
}

TEST_CASE("a coded body is refused") {
  http::RequestHead head = Post("application/json", "k-1");
  head.fields.Add("Content-Encoding", "gzip");
  CHECK(StatusOf(ReadRoute(head, true)) == 415);
}

}  // namespace idem::upstream
