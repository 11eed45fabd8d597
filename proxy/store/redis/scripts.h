// The transitions of a record, and the rate limit, as Lua scripts that Redis runs in one step.
// redis_scripts.cc draws what each takes and answers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace idem::store {

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

/// What SCRIPT LOAD is given.
[[nodiscard]] const std::string& RedisScriptText(RedisScript script);

/// The names of the keys that one store uses, all but the notes under its prefix:
///
///   idemp:client=shop;key-001           a record, at PREFIX + record key
///   idemp:withdrawn TOKEN               a begin with this token that arrives now changes nothing
///   idemp:lookup TOKEN                  somebody looks up what became of this claim
///   idemp:limit SUBJECT                 the requests of one subject that count now
///   idemp:counted TOKEN                 this token was counted (token bucket only)
///   idemproxy note NAME                 a note, where no prefix moves it
///
/// A record key never holds a blank (idempotency::RecordKey percent-encodes scopes, and a key has
/// none), so no caller can choose a key that is taken for a mark or a count.
struct RedisKeys {
  std::string prefix;

  [[nodiscard]] std::string Record(std::string_view record_key) const;
  [[nodiscard]] std::string Withdrawn(std::string_view token) const;
  [[nodiscard]] std::string LookUp(std::string_view token) const;
  [[nodiscard]] std::string Limit(std::string_view subject) const;
  [[nodiscard]] std::string Counted(std::string_view token) const;
  static std::string Note(std::string_view name);
  /// What SCAN's MATCH takes for everything under the prefix.
  [[nodiscard]] std::string Pattern() const;
};

}  // namespace idem::store
