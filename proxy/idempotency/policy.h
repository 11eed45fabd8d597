// The section `idempotency` of a route (docs/configuration.md), as the rules read it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/idempotency/fingerprint/fingerprint.h"
#include "proxy/idempotency/look_up_rules.h"

namespace idem::idempotency {

enum class ClaimEnding : std::uint8_t { kRecord, kRelease, kUnknown };

/// An entry of `responses`: a status, or a class of a hundred statuses, whose ending differs from
/// the table's. A single status takes precedence over its class.
struct StatusOverride {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // inclusive
  ClaimEnding ending = ClaimEnding::kRecord;
};

enum class InProgress : std::uint8_t { kWait, kReject };

enum class Mode : std::uint8_t { kEnforce, kObserve };

struct ScopeRule {
  enum class Kind : std::uint8_t { kClient, kRoute, kHeader };
  Kind kind = Kind::kRoute;
  std::string header;  // kHeader: in lower case
};

struct Policy {
  Mode mode = Mode::kEnforce;
  std::vector<std::string> methods = {"POST", "PATCH"};
  std::string header = "Idempotency-Key";
  bool required = true;
  std::vector<ScopeRule> scope;  // empty: one global scope (the configuration sets the default)
  Recipe recipe{.decode = true};
  std::chrono::milliseconds ttl = std::chrono::hours(24);
  std::chrono::milliseconds unknown_ttl = std::chrono::hours(24 * 30);
  std::uint16_t mismatch_status = 409;
  std::uint16_t in_progress_status = 503;
  std::uint16_t unknown_status = 0;  // 0: 504, or 503 where a look-up will settle it
  InProgress in_progress = InProgress::kWait;
  std::chrono::milliseconds wait_timeout = std::chrono::seconds(30);
  std::uint32_t max_waiters_per_key = 16;
  /// Never zero once the configuration is read: `auto` is computed there.
  std::chrono::milliseconds lease{};
  std::chrono::milliseconds record_timeout = std::chrono::seconds(2);
  std::uint64_t max_recorded_body = 1024 * 1024;
  bool upstream_idempotent = false;
  std::vector<std::string> replay_drop = {"set-cookie", "www-authenticate", "alt-svc",
                                          "retry-after"};
  std::vector<StatusOverride> overrides;
  std::optional<ReconcileRule> reconcile;  // null: an unknown outcome is not looked up
};

}  // namespace idem::idempotency
