// A record as the admin API shows it: all that an operator needs for a decision, without the body.
#pragma once

#include <string>
#include <string_view>

#include "proxy/idempotency/record.h"

namespace idem::admin {

/// Appends one object:
///
///   {"key_hash":"...","record_key":"client=shop;key-001","state":"unknown","token":"...",
///    "route":"orders","client":"shop","upstream_idempotent":false,
///    "begun_at":"2026-01-31T12:00:00.000Z","lease_ends_at":"...","expires_at":"...",
///    "age_ms":90000,"lease_left_ms":0}
///
/// `state` is the state at `now`: an executing record whose lease has ended is unknown. A completed
/// record also has "status", "body_bytes" and "body_kept".
void AppendRecordJson(std::string_view record_key, const idempotency::Record& record, StoreTime now,
                      std::string& to);

/// Returns "executing", "unknown" or "completed".
[[nodiscard]] std::string_view StateText(idempotency::RecordState state);

}  // namespace idem::admin
