// The names of the keys in Redis that one store uses.
#pragma once

#include <string>
#include <string_view>

namespace idem::store {

/// Every key except a note begins with the prefix, here `idemp:`.
///
///   idemp:client=shop;key-001           a record, at PREFIX + record key
///   idemp:withdrawn TOKEN               a begin with this token that arrives now changes nothing
///   idemp:lookup TOKEN                  a proxy looks up the outcome of this claim at the backend
///   idemp:limit SUBJECT                 the requests of one subject that count now
///   idemp:counted TOKEN                 this token was counted (token bucket only)
///   idemproxy note NAME                 a note, which stays in its place when the prefix changes
///
/// A record key never contains a blank (idempotency::RecordKey percent-encodes scopes, and no key
/// has one), so no client can choose a key that is taken for a mark or a count.
struct RedisKeys {
  std::string prefix;

  [[nodiscard]] std::string Record(std::string_view record_key) const;
  [[nodiscard]] std::string Withdrawn(std::string_view token) const;
  [[nodiscard]] std::string LookUp(std::string_view token) const;
  [[nodiscard]] std::string Limit(std::string_view subject) const;
  [[nodiscard]] std::string Counted(std::string_view token) const;
  static std::string Note(std::string_view name);
  /// The pattern of SCAN's MATCH for every key under the prefix.
  [[nodiscard]] std::string Pattern() const;
};

}  // namespace idem::store
