// A record as the admin API shows it: everything an operator decides by, and no body.
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
/// state is that of `now`: an executing record whose lease has ended is unknown. A completed one
/// has "status", "body_bytes" and "body_kept" too.
void AppendRecordJson(std::string_view record_key, const idempotency::Record& record, StoreTime now,
                      std::string& to);

/// "executing", "unknown", "completed".
[[nodiscard]] std::string_view StateText(idempotency::RecordState state);

}  // namespace idem::admin
