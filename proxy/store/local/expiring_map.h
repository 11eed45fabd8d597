// A map whose entries have an end. Expired entries can be dropped a few at a time, soonest first,
// without reading the others.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/idempotency/record.h"

namespace idem::store {

/// Hashes a text without copying it into a string.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

/// A token is random, so its first bytes are a hash.
struct TokenHash {
  std::size_t operator()(const idempotency::Token& token) const {
    std::size_t hash = 0;
    std::memcpy(&hash, token.bytes.data(), sizeof hash);
    return hash;
  }
};

/// For one thread. Find() returns expired entries too: the end only orders the dropping, and the
/// owner compares it with its own clock.
template <class Key, class Value, class Hash>
class ExpiringMap {
 public:
  template <class Name>
  [[nodiscard]] Value* Find(const Name& key) {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second.value;
  }

  /// Adds an entry, or replaces it.
  Value& Put(Key key, Value value, StoreTime end) {
    auto [at, is_new] = entries_.try_emplace(std::move(key));
    at->second.value = std::move(value);
    if (!is_new) ends_.erase(at->second.end);
    at->second.end = ends_.emplace(end, &at->first);
    return at->second.value;
  }

  template <class Name>
  void Erase(const Name& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    ends_.erase(found->second.end);
    entries_.erase(found);
  }

  /// Moves the end of an entry, if there is one.
  template <class Name>
  void SetEnd(const Name& key, StoreTime end) {
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.end->first == end) return;
    ends_.erase(found->second.end);
    found->second.end = ends_.emplace(end, &found->first);
  }

  /// Drops at most `count_max` entries whose end has come.
  void DropExpired(StoreTime now, std::size_t count_max) {
    while (count_max-- > 0 && !ends_.empty() && ends_.begin()->first <= now) DropSoonest();
  }
  /// Drops the entry whose end comes first.
  void DropSoonest() {
    if (ends_.empty()) return;
    const Key& key = *ends_.begin()->second;
    ends_.erase(ends_.begin());
    entries_.erase(entries_.find(key));
  }
  void Clear() {
    ends_.clear();
    entries_.clear();
  }

  /// Calls visit(const Key&, const Value&) for all entries, in no order.
  template <class Visit>
  void ForEach(Visit&& visit) const {
    for (const auto& [key, entry] : entries_) visit(key, entry.value);
  }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  using Ends = std::multimap<StoreTime, const Key*>;
  struct Entry {
    Value value{};
    typename Ends::iterator end{};
  };
  std::unordered_map<Key, Entry, Hash, std::equal_to<>> entries_;
  Ends ends_;
};

template <class Value>
using ExpiringTextMap = ExpiringMap<std::string, Value, TextHash>;
template <class Value>
using ExpiringTokenMap = ExpiringMap<idempotency::Token, Value, TokenHash>;

}  // namespace idem::store
