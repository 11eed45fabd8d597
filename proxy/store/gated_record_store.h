// A record store that takes no claim until somebody has said that it may.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "proxy/base/loop.h"
#include "proxy/ports/record_store.h"

namespace idem::store {

/// Shared by all workers of a process. Any thread.
class ClaimGate {
 public:
  /// Closed for that reason, until Open().
  explicit ClaimGate(std::string why) : why_closed_(std::move(why)) {}

  void Open();
  /// Another reason.
  void StayClosed(std::string why);
  /// nullopt: it is open.
  [[nodiscard]] std::optional<std::string> why_closed() const;

 private:
  std::atomic<bool> open_ = false;
  mutable std::mutex mutex_;
  std::string why_closed_;
};

/// For one loop. While the gate is closed Begin() fails and nothing is claimed; all else goes
/// through.
class GatedRecordStore final : public ports::RecordStore {
 public:
  GatedRecordStore(ports::RecordStore& records, const ClaimGate& gate, Loop& loop)
      : records_(records), gate_(gate), loop_(loop) {}

  [[nodiscard]] Ticket Begin(ports::BeginRequest question, OnBegun on_answer) override;
  [[nodiscard]] Ticket Complete(std::string_view record_key, const idempotency::Claim& claim,
                                const idempotency::StoredResponse& response,
                                idempotency::Milliseconds ttl, OnSettled on_answer) override {
    return records_.Complete(record_key, claim, response, ttl, std::move(on_answer));
  }
  [[nodiscard]] Ticket Release(std::string_view record_key, const idempotency::Token& token,
                               OnSettled on_answer) override {
    return records_.Release(record_key, token, std::move(on_answer));
  }
  [[nodiscard]] Ticket MarkUnknown(std::string_view record_key, const idempotency::Claim& claim,
                                   OnSettled on_answer) override {
    return records_.MarkUnknown(record_key, claim, std::move(on_answer));
  }
  [[nodiscard]] Ticket Withdraw(std::string_view record_key, const idempotency::Token& token,
                                idempotency::Milliseconds lease, OnSettled on_answer) override {
    return records_.Withdraw(record_key, token, lease, std::move(on_answer));
  }
  [[nodiscard]] Ticket ReserveLookUp(std::string_view record_key, const idempotency::Token& token,
                                     idempotency::Milliseconds pause,
                                     OnLookUpReserved on_answer) override {
    return records_.ReserveLookUp(record_key, token, pause, std::move(on_answer));
  }
  [[nodiscard]] Ticket ReleaseUnknown(std::string_view record_key, const idempotency::Token& token,
                                      OnSettled on_answer) override {
    return records_.ReleaseUnknown(record_key, token, std::move(on_answer));
  }
  [[nodiscard]] Ticket ResolveUnknown(std::string_view record_key, const idempotency::Claim& claim,
                                      const idempotency::StoredResponse& response,
                                      idempotency::Milliseconds ttl, OnSettled on_answer) override {
    return records_.ResolveUnknown(record_key, claim, response, ttl, std::move(on_answer));
  }
  [[nodiscard]] Ticket Look(std::string_view record_key, OnSettled on_answer) override {
    return records_.Look(record_key, std::move(on_answer));
  }
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override;
  [[nodiscard]] bool limits_with_begin() const override { return records_.limits_with_begin(); }

 private:
  ports::RecordStore& records_;
  const ClaimGate& gate_;
  Loop& loop_;
};

}  // namespace idem::store
