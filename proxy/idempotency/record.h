// What the store holds for a key, and its byte form.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/random.h"
#include "proxy/base/result.h"
#include "proxy/http/fields.h"
#include "proxy/idempotency/fingerprint.h"

namespace idem::idempotency {

/// 128 random bits, proposed by the proxy for one claim: the fencing token.
struct Token {
  std::array<std::uint8_t, 16> bytes{};
  static Token Make(Random& random);
  [[nodiscard]] std::string ToHex() const;  // 32 lower-case digits
  bool operator==(const Token&) const = default;
};

using Milliseconds = std::chrono::milliseconds;

/// A claim as it is proposed: what `begin` writes, and what later transitions carry so that they
/// can write it anew if the store forgot it.
struct Claim {
  Token token;
  Fingerprint fingerprint{};
  std::string recipe;                // Recipe::ToId()
  bool upstream_idempotent = false;  // as the route declared it when it claimed
  Milliseconds lease{};
  Milliseconds unknown_ttl{};
  std::string route;         // for the operator who lists records
  std::string client;        // "" for none
  std::string part_digests;  // PartDigests(); "" in a record of a version that kept none
};

/// A response as it is replayed: end-to-end fields only, none that is never recorded.
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
  StoreTime lease_ends_at{};               // at that moment an executing record becomes unknown
  StoreTime expires_at{};                  // from then on the record reads as absent
  std::optional<StoredResponse> response;  // kCompleted only

  /// kUnknown for an executing record whose lease has ended at `now`, else `state`: nobody has to
  /// write that transition.
  [[nodiscard]] RecordState state_at(StoreTime now) const;
  /// From its expiry on the record reads as absent, in whatever state.
  [[nodiscard]] bool expired_at(StoreTime now) const { return now >= expires_at; }
};

/// The three forms a record is written in, each with its life: executing until lease_ends_at +
/// unknown_ttl (so that an abandoned claim is remembered as unknown for that long), unknown for
/// unknown_ttl, completed for ttl.
[[nodiscard]] Record MakeExecuting(const Claim& claim, StoreTime now);
[[nodiscard]] Record MakeUnknown(const Claim& claim, StoreTime begun_at, StoreTime lease_ends_at,
                                 StoreTime now);
[[nodiscard]] Record MakeCompleted(const Claim& claim, StoreTime begun_at, StoredResponse response,
                                   Milliseconds ttl, StoreTime now);

/// The byte form: one readable header line that ends in LF, then, for a completed record alone, its
/// field lines, an empty line and the body.
///
///   idemproxy/1 STATE TOKEN LEASE_END BEGUN EXPIRES FINGERPRINT RECIPE IDEMPOTENT
///       LEASE UNKNOWN_TTL ROUTE CLIENT STATUS KEPT HEAD_BYTES BODY_BYTES [PARTS]<LF>
///   Content-Type: application/json<CR><LF>
///   <CR><LF>
///   {"order":...}
///
/// The words have single blanks between them. A claim without part digests has no PARTS.
/// STATE is executing, completed or unknown. TOKEN and FINGERPRINT are lower-case hex, times
/// decimal milliseconds (since 1970 where they are points), IDEMPOTENT and KEPT 0 or 1; ROUTE and
/// CLIENT are percent-encoded, `-` for none. HEAD_BYTES counts the field lines and the empty line;
/// the four from STATUS on are 0 unless completed. State, token and times stand first, so that a
/// script in the store reads them with one pattern: ^idemproxy/1 (%a+) (%x+) (%d+) (%d+) (%d+)
[[nodiscard]] std::string Encode(const Record& record);
/// The same from FINGERPRINT on, for a store whose server writes the six words before it, because
/// it alone knows the time.
[[nodiscard]] std::string EncodeRest(const Record& record);
/// kCorrupt for anything that Encode() cannot have written. Never trusts a length.
[[nodiscard]] Result<Record> Decode(std::string_view bytes);

}  // namespace idem::idempotency
