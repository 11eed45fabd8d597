#include "upstream/answer.h"

#include "proxy/base/json_writer.h"
#include "proxy/http/message.h"

namespace idem::upstream {

OrderResponse OrderAnswer(std::uint16_t status, const Order& order) {
  OrderResponse answer;
  answer.status = status;
  answer.body = ToJson(order);
  return answer;
}

OrderResponse ProblemAnswer(std::uint16_t status, std::string_view name, std::string_view detail) {
  OrderResponse answer;
  answer.status = status;
  answer.media_type = "application/problem+json";
  answer.body = R"({"type":"urn:orders:problem:)";
  answer.body.append(name).append(R"(","title":)");
  AppendJsonString(http::ReasonPhrase(status), answer.body);
  answer.body.append(R"(,"status":)").append(std::to_string(status)).append(R"(,"detail":)");
  AppendJsonString(detail, answer.body);
  answer.body += '}';
  return answer;
}

OrderResponse MethodNotAllowed(std::string_view allow) {
  OrderResponse answer =
      ProblemAnswer(405, "method-not-allowed", "this resource does not allow the method");
  answer.allow = allow;
  return answer;
}

}  // namespace idem::upstream
