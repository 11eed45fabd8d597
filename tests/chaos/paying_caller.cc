#include "tests/chaos/paying_caller.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "tests/support/http_client.h"

namespace idem::chaos {

namespace {

using support::HttpClient;
using support::HttpResponse;

constexpr Milliseconds kPatience{4000};
constexpr Milliseconds kFirstPause{30};
constexpr Milliseconds kLongestPause{500};

// Returns whether a field may differ between two answers to the same key.
bool IsOfOneAnswer(std::string_view name) {
  static const std::set<std::string_view> kNames = {"Date", "X-Request-Id", "Idempotent-Replayed",
                                                    "Connection", "Idempotency-Status"};
  return kNames.contains(name);
}

std::string Canonical(const HttpResponse& response) {
  std::string text = std::to_string(response.status) + "\n";
  for (const auto& [name, value] : response.fields) {
    if (!IsOfOneAnswer(name)) text += name + ": " + value + "\n";
  }
  return text + "\n" + response.body;
}

bool IsOwnProblem(const HttpResponse& response) {
  return response.body.find("urn:idemproxy:problem:") != std::string::npos;
}

// The order service lost its database during a commit. The proxy records no such answer and passes it
// on, so a later request may learn the outcome.
bool IsBackendsUnknown(const HttpResponse& response) {
  return response.status == 503 &&
         response.body.find("urn:orders:problem:outcome-unknown") != std::string::npos;
}

std::string RetryMember(const HttpResponse& response) {
  constexpr std::string_view kMember = "\"retry\":\"";
  const auto at = response.body.find(kMember);
  if (at == std::string::npos) return "";
  const auto from = at + kMember.size();
  return response.body.substr(from, response.body.find('"', from) - from);
}

}  // namespace

void Caller::Run(Moment give_up_at, bool is_settled_later) {
  pause_ = kFirstPause;
  while (AskOnce(is_settled_later) == Next::kAgain) {
    if (Clock::now() > give_up_at) return ledger_.Unexpected(key_, "no final answer");
    std::this_thread::sleep_for(pause_ + Between(0, 30));
    pause_ = std::min(pause_ * 2, kLongestPause);
  }
}

Caller::Next Caller::AskOnce(bool is_settled_later) {
  const std::size_t proxy =
      std::uniform_int_distribution<std::size_t>(0, ports_.size() - 1)(random_);
  const bool leaves_early = Between(0, 9).count() == 0;
  const Milliseconds patience = leaves_early ? Between(5, 250) : kPatience;
  const Moment asked_at = Clock::now();
  HttpResponse response;
  ledger_.Asked();
  try {
    HttpClient connection(ports_[proxy]);
    connection.Send(RequestBytes());
    if (connection.Silent(patience)) return Next::kAgain;
    response = connection.ReadResponse("POST");
  } catch (const std::runtime_error&) {
    return Next::kAgain;  // refused, cut, or truncated
  }
  if (IsBackendsUnknown(response)) {
    ledger_.Unknown(key_);
    return is_settled_later ? Next::kAgain : Next::kDone;
  }
  if (!IsOwnProblem(response)) {
    const bool unrecorded = response.Find("Idempotency-Status").has_value();
    ledger_.Executed(proxy, key_, response.status, Canonical(response), response.body, unrecorded,
                     asked_at);
    return Next::kDone;
  }
  const std::string retry = RetryMember(response);
  if (retry == "same-key") return Next::kAgain;
  if (retry == "settle") {
    ledger_.Unknown(key_);
    return is_settled_later ? Next::kAgain : Next::kDone;
  }
  ledger_.Unexpected(key_, Canonical(response));
  return Next::kDone;
}

std::string Caller::RequestBytes() const {
  return support::RequestText("POST", "/orders",
                              {{"Idempotency-Key", key_}, {"Content-Type", "application/json"}},
                              R"({"user_id":"u-1","item":")" + key_ + R"(","amount":12.50})");
}

Milliseconds Caller::Between(int low, int high) {
  return Milliseconds(std::uniform_int_distribution<int>(low, high)(random_));
}

}  // namespace idem::chaos
