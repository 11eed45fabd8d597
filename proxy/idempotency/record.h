// The record that a store holds for a key.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "proxy/base/clock.h"
#include "proxy/http/fields.h"
#include "proxy/idempotency/fingerprint/fingerprint.h"
#include "proxy/idempotency/token.h"

namespace idem::idempotency {

using Milliseconds = std::chrono::milliseconds;

/// The terms of a claim as a proxy proposes it. `begin` writes them, and later transitions carry
/// them so that a store that forgot the claim can write it again.
struct Claim {
  Token token;
  Fingerprint fingerprint{};
  std::string recipe;                // Recipe::ToId()
  bool upstream_idempotent = false;  // as the route declared it when it claimed
  Milliseconds lease{};
  Milliseconds unknown_ttl{};
  std::string route;         // operators filter by it
  std::string client;        // "": the request was not authenticated
  std::string part_digests;  // PartDigests(); "" in a record of a version that kept none
};

/// A response as it is replayed: it has only end-to-end fields that may be recorded.
struct StoredResponse {
  std::uint16_t status = 0;
  http::Fields fields;
  bool body_kept = true;  // false: it was larger than max_recorded_body
  std::string body;
};

enum class RecordState : std::uint8_t { kExecuting, kCompleted, kUnknown };

struct Record {
  RecordState state = RecordState::kExecuting;
  Claim claim;
  StoreTime begun_at{};
  StoreTime lease_ends_at{};  // at that moment an executing record becomes unknown
  StoreTime expires_at{};     // from then on the record reads as absent
  std::shared_ptr<const StoredResponse> response;  // kCompleted; otherwise null

  /// Returns kUnknown for an executing record whose lease has ended at `now`, otherwise `state`: no
  /// store has to write that transition.
  [[nodiscard]] RecordState state_at(StoreTime now) const;
  /// An expired record reads as absent, whatever its state.
  [[nodiscard]] bool expired_at(StoreTime now) const { return now >= expires_at; }
};

/// Build a record in one of its three states, with its expiry: an executing one expires at
/// lease_ends_at + unknown_ttl (so that an abandoned claim is remembered as unknown for that long),
/// an unknown one after unknown_ttl, a completed one after `ttl`.
[[nodiscard]] Record MakeExecuting(const Claim& claim, StoreTime now);
[[nodiscard]] Record MakeUnknown(const Claim& claim, StoreTime begun_at, StoreTime lease_ends_at,
                                 StoreTime now);
[[nodiscard]] Record MakeCompleted(const Claim& claim, StoreTime begun_at, StoreTime lease_ends_at,
                                   std::shared_ptr<const StoredResponse> response, Milliseconds ttl,
                                   StoreTime now);

}  // namespace idem::idempotency
