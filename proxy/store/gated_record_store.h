// A record store that takes no claims until its gate is open.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "proxy/base/loop.h"
#include "proxy/ports/record_store.h"

namespace idem::store {

/// Shared by all workers of a process. Any thread.
class ClaimGate {
 public:
  /// The gate is closed until Open(); `why` is the reason.
  explicit ClaimGate(std::string why) : why_closed_(std::move(why)) {}

  void Open();
  /// Replaces the reason.
  void StayClosed(std::string why);
  /// Returns null if the gate is open.
  [[nodiscard]] std::optional<std::string> why_closed() const;

 private:
  std::atomic<bool> open_ = false;
  mutable std::mutex mutex_;
  std::string why_closed_;
};

/// For one loop. While the gate is closed, Begin() fails and claims nothing; all other steps pass.
class GatedRecordStore final : public ports::RecordStore {
 public:
  GatedRecordStore(ports::RecordStore& records, const ClaimGate& gate, Loop& loop)
      : records_(records), gate_(gate), loop_(loop) {}

  [[nodiscard]] Ticket Begin(ports::BeginRequest request, OnBegun on_begun) override;
  [[nodiscard]] Ticket Apply(const ports::Transition& transition, OnApplied on_applied) override {
    return records_.Apply(transition, std::move(on_applied));
  }
  [[nodiscard]] Ticket ReserveLookUp(const ports::LookUpRequest& request,
                                     OnLookUpReserved on_reserved) override {
    return records_.ReserveLookUp(request, std::move(on_reserved));
  }
  [[nodiscard]] Ticket Read(std::string_view record_key, OnRead on_read) override {
    return records_.Read(record_key, std::move(on_read));
  }
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override;

 private:
  ports::RecordStore& records_;
  const ClaimGate& gate_;
  Loop& loop_;
};

}  // namespace idem::store
