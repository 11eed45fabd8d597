// Claims and responses for tests of a store.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "proxy/ports/transition.h"

namespace idem::contract {

// Does not end during a test.
inline constexpr std::chrono::milliseconds kLong = std::chrono::minutes(10);
inline constexpr std::chrono::milliseconds kShort{20};  // ends when the test lets it
inline constexpr std::chrono::milliseconds kAfterShort{30};

/// Returns another token at each call, the same ones in each run.
inline idempotency::Token NextToken() {
  static thread_local std::uint64_t serial = 0;
  static std::atomic<std::uint64_t> threads = 0;
  static thread_local const std::uint64_t thread = ++threads;
  idempotency::Token token;
  const std::uint64_t words[] = {++serial * 0x9e3779b97f4a7c15U, thread};
  static_assert(sizeof words == sizeof token.bytes);
  std::memcpy(token.bytes.data(), words, sizeof words);
  return token;
}

inline idempotency::Claim NewClaim(idempotency::Token token = NextToken()) {
  idempotency::Claim claim;
  claim.token = token;
  claim.fingerprint.fill(0xa5);
  claim.recipe = idempotency::Recipe{}.ToId();
  claim.upstream_idempotent = true;
  claim.lease = kLong;
  claim.unknown_ttl = kLong;
  claim.route = "orders";
  claim.client = "a shop; 50% off";
  claim.part_digests = "0123456789abcdef0123456789abcdef01234567";
  return claim;
}

inline idempotency::StoredResponse NewResponse(std::string body = "{\"order\":1}") {
  idempotency::StoredResponse response;
  response.status = 201;
  response.fields.Add("Content-Type", "application/json");
  response.fields.Add("Link", "</a>");
  response.fields.Add("link", "</b>");
  response.body = std::move(body);
  return response;
}

inline std::shared_ptr<const idempotency::StoredResponse> Shared(
    idempotency::StoredResponse response) {
  return std::make_shared<const idempotency::StoredResponse>(std::move(response));
}

inline ports::Transition Completion(std::string_view key, const idempotency::Claim& claim,
                                    idempotency::StoredResponse response = NewResponse(),
                                    std::chrono::milliseconds ttl = kLong) {
  return {.kind = ports::Transition::Kind::kComplete,
          .record_key = std::string(key),
          .claim = claim,
          .response = Shared(std::move(response)),
          .ttl = ttl};
}

/// A transition of a kind that has no response.
inline ports::Transition Settlement(ports::Transition::Kind kind, std::string_view key,
                                    const idempotency::Claim& claim) {
  return {.kind = kind, .record_key = std::string(key), .claim = claim};
}

inline bool IsSameResponse(const idempotency::StoredResponse& a,
                           const idempotency::StoredResponse& b) {
  if (a.status != b.status || a.body_kept != b.body_kept || a.body != b.body) return false;
  if (a.fields.size() != b.fields.size()) return false;
  for (std::size_t i = 0; i < a.fields.size(); ++i) {
    if (a.fields[i].name != b.fields[i].name || a.fields[i].value != b.fields[i].value)
      return false;
  }
  return true;
}

inline bool IsSameClaim(const idempotency::Claim& a, const idempotency::Claim& b) {
  return a.token == b.token && a.fingerprint == b.fingerprint && a.recipe == b.recipe &&
         a.upstream_idempotent == b.upstream_idempotent && a.lease == b.lease &&
         a.unknown_ttl == b.unknown_ttl && a.route == b.route && a.client == b.client &&
         a.part_digests == b.part_digests;
}

}  // namespace idem::contract
