// One question to the backend: what became of this claim? Sent as a GET of its own, on a call of
// its own (semantics.md, "Reconcile").
#pragma once

#include <memory>
#include <string>

#include "proxy/base/function.h"
#include "proxy/exchange/claim/buffered_response.h"
#include "proxy/exchange/rules/protected_request.h"
#include "proxy/idempotency/look_up_rules.h"
#include "proxy/ports/upstream.h"

namespace idem::exchange {

/// Part of a key claim. Dropping it gives the question up.
class Reconciliation final : public ports::UpstreamEvents {
 public:
  struct Result {
    idempotency::LookUpMeaning meaning = idempotency::LookUpMeaning::kUnclear;
    std::shared_ptr<const idempotency::StoredResponse> response{};  // kFound: what is recorded
    std::string reason{};  // kUnclear: for the log; may name the backend's address
  };
  using OnResult = Function<void(Result)>;

  /// `request` is the one that asks; its policy reconciles. The answer comes once, on a later turn,
  /// and at the latest when the upstream's own timeouts have passed.
  Reconciliation(ports::Upstream& upstream, const ProtectedRequest& request, OnResult on_result);

  /// Nothing is told any more, and the call is dropped. Harmless after the answer.
  void GiveUp();

  /// What came of the backend so far, for the access line: 0 and "" for nothing.
  [[nodiscard]] std::uint16_t status() const { return response_.head.status; }
  [[nodiscard]] std::string_view address() const { return address_; }

 private:
  bool OnUpstreamReady() override { return true; }
  void OnUpstreamInterim(const http::ResponseHead&) override {}
  void OnUpstreamHead(http::ResponseHead& head) override;
  void OnUpstreamBody(std::string_view bytes) override;
  void OnUpstreamEnd() override;
  void OnUpstreamFailure(const ports::UpstreamFailure& failure) override;
  void Conclude();
  void Answer(Result result);

  const idempotency::Policy& policy_;
  OnResult on_result_;
  BufferedResponse response_;
  std::string address_;
  std::unique_ptr<ports::UpstreamCall> call_;
};

}  // namespace idem::exchange
