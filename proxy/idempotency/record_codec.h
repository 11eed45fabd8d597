// The byte form in which all stores keep a record.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/idempotency/record.h"

namespace idem::idempotency {

/// Returns the byte form: one readable header line that ends in LF. A completed record continues
/// with its field lines, an empty line and the body.
///
///   idemproxy/1 STATE TOKEN LEASE_END BEGUN EXPIRES FINGERPRINT RECIPE IDEMPOTENT
///       LEASE UNKNOWN_TTL ROUTE CLIENT STATUS KEPT HEAD_BYTES BODY_BYTES [PARTS]<LF>
///   Content-Type: application/json<CR><LF>
///   <CR><LF>
///   {"order":...}
///
/// The words have single blanks between them. A claim without part digests has no PARTS.
/// STATE is executing, completed or unknown. TOKEN and FINGERPRINT are lower-case hex, times
/// decimal milliseconds (points in time count from 1970), IDEMPOTENT and KEPT are 0 or 1. ROUTE and
/// CLIENT are percent-encoded; `-` stands for an empty one. HEAD_BYTES counts the field lines and
/// the empty line; the four from STATUS on are 0 unless the record is completed. State, token and times
/// stand first, so that a script in the store reads them with one pattern:
/// ^idemproxy/1 (%a+) (%x+) (%d+) (%d+) (%d+)
[[nodiscard]] std::string Encode(const Record& record);
/// Returns the byte form from FINGERPRINT on, for a store whose server writes the six words before
/// it, because only the server knows the time.
[[nodiscard]] std::string EncodeRest(const Record& record);
/// Returns kCorrupt for any bytes that Encode() cannot have written. Never trusts a length.
[[nodiscard]] Result<Record> Decode(std::string_view bytes);

}  // namespace idem::idempotency
