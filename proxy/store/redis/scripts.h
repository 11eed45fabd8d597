// The transitions of a record, and the rate limit, as Lua scripts that Redis runs in one step.
//
// Each script except `list` names all its keys in KEYS and takes its time from Redis. It writes
// nothing where it answers `held`, `limited` or `withdrawn`, except what the limit counted. Times
// are milliseconds since 1970, lengths of time milliseconds.
//
//   script           KEYS                           ARGV
//   begin            record, mark, [limit, counted] TOKEN, REPLACES, LEASE, KEEP, REST, [LIMIT]
//   complete         record                         TOKEN, LEASE, KEEP, REST
//   mark_unknown     record                         TOKEN, LEASE, KEEP, REST
//   release          record                         TOKEN
//   withdraw         record, mark                   TOKEN, KEEP
//   look             record                         -
//   claim_look_up    record, mark                   TOKEN, KEEP
//   release_unknown  record                         TOKEN
//   resolve_unknown  record                         TOKEN, KEEP, REST
//   count            limit, counted                 LIMIT
//   list             -                              CURSOR, PATTERN, COUNT
//   read_note        note                           -
//   write_note       note                           1 or 0: it replaces a value, THAT VALUE, VALUE
//
//   begin          -> {"claimed",   NOW, VERDICT or nil}
//                     {"held",      NOW, VERDICT or nil, RECORD}
//                     {"limited",   NOW, VERDICT}
//                     {"withdrawn", NOW}
//   complete, mark_unknown, release, withdraw, look, release_unknown, resolve_unknown
//                  -> {"done", NOW}  {"rewritten", NOW}  {"held", NOW, RECORD}  {"gone", NOW}
//   claim_look_up  -> {"granted", NOW}
//                     {"taken",   NOW, RETRY_AFTER}
//                     {"changed", NOW, RECORD or nil}
//   count          -> VERDICT
//   list           -> {CURSOR, NOW, {KEY, RECORD or nil where it is completed} ...}
//   ..._note       -> {1 or 0: it was written, VALUE or nil}
//
//   LIMIT     = TOKEN, ALGORITHM, REQUESTS, PER, BURST
//   VERDICT   = {1 allowed or 0 refused, REMAINING, RESET}
//
// REST is the record's byte form behind the times, which only Redis knows (EncodeRest):
//
//   idemproxy/1 executing TOKEN LEASE_END BEGUN EXPIRES | REST...
//
// KEEP is how long the written value lives. REPLACES is the token that is taken over, or empty. A
// value that cannot be a record is answered with an error and never overwritten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace idem::store {

/// One for each file of scripts/ that is not shared.
enum class RedisScript : std::uint8_t {
  kBegin,
  kComplete,
  kRelease,
  kMarkUnknown,
  kWithdraw,
  kLook,
  kClaimLookUp,
  kReleaseUnknown,
  kResolveUnknown,
  kCount,
  kList,
  kReadNote,
  kWriteNote,
};
inline constexpr std::size_t kRedisScriptCount = 13;

/// The argument of SCRIPT LOAD: the shared files that the script uses, then its own.
[[nodiscard]] const std::string& RedisScriptText(RedisScript script);

}  // namespace idem::store
