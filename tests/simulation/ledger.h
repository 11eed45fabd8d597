// The events of one simulated world: the callers' requests, the steps at the store, and the
// backend's effects and answers. They are recorded as they happen; the auditor judges them.
#pragma once

#include <charconv>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/base/invariant.h"
#include "proxy/http/message.h"
#include "proxy/idempotency/record.h"
#include "proxy/store/local/expiring_map.h"

namespace idem::simulation {

/// One effect that a caller wants, however often it is sent.
struct Intent {
  std::size_t number = 0;
  std::string key;
  std::string client;
  std::string tenant;  // value of the field that a scope may name
  std::string route;
  std::string target;
  std::string body;
  http::Fields signature;  // fields with which its client signs it; empty without authentication
  std::string identity;    // scope and key as in semantics.md: at most one effect
};

/// One request of one caller, as one proxy receives it.
struct Attempt {
  std::size_t number = 0;
  const Intent* intent = nullptr;
  std::size_t process = 0;  // the incarnation that received it
  BootTime began{};
  bool written = false;                      // a byte of it was sent to the backend
  std::string record_key;                    // as the proxy computes it
  std::optional<idempotency::Token> token;   // token of its claim, once one was proposed
  std::optional<idempotency::Token> holder;  // token of the record that its last `begin` met
};

/// The times at which a claim ended, as far as it has. They are the store's times.
struct ClaimEnds {
  std::optional<StoreTime> marked_at;
  std::optional<StoreTime> completed_at;
  std::optional<StoreTime> released_by_operator_at;
};

struct Call;

/// A claim as the store saw it. Times are the store's.
struct ClaimFacts : ClaimEnds {
  Attempt* attempt = nullptr;
  bool upstream_idempotent = false;
  bool strange = false;  // its recipe is unknown to the other replicas
  idempotency::Milliseconds lease{};
  idempotency::Milliseconds unknown_ttl{};
  idempotency::Milliseconds ttl{};
  std::optional<StoreTime> begun_at;
  // Number in the order of begins, because the store's clock may stand still.
  std::size_t number = 0;
  const Call* outcome = nullptr;  // the call with which it was completed
  std::optional<StoreTime> withdrawn_at;
  // After a fail-over of the store the lost ends are null again.
  std::optional<StoreTime> forgotten_at;  // time at which the claim itself was forgotten
  bool outcome_forgotten = false;         // its completion was forgotten
  struct Lost {
    ClaimEnds ends;   // the ends before the fail-over
    StoreTime until;  // time at which they were forgotten
  };
  std::vector<Lost> lost;
  bool withdrawn = false;  // withdrawn at least once, even if that was forgotten
  // The claim is in the store although no process holds it: its begin, or a copy of it, came after
  // its mark had expired, or a fail-over lost its end.
  bool came_back = false;
};

/// One request at the backend, and its answer.
struct Call {
  std::size_t number = 0;
  Attempt* attempt = nullptr;
  bool claimed_idempotent = false;  // by the policy of the proxy that sent it
  StoreTime written_at{};
  bool answered = false;  // the backend sent the following answer
  std::uint16_t status = 0;
  http::Fields fields;
  std::string body;
  // Members of a look-up's answer, stored in the form in which it is to be recorded.
  const Call* shows = nullptr;  // the call whose effect it shows; null for no look-up
  std::optional<idempotency::Token> recorded_under;  // token of the claim that it settled
};

struct Effect {
  std::size_t number = 0;
  const Call* call = nullptr;
};

/// An executed outcome that a caller got as final.
struct Acknowledged {
  const Call* call = nullptr;
  const Attempt* attempt = nullptr;
  BootTime at{};
  ClaimFacts
      // A copy of that moment, because another outcome may be recorded after its record has
      // expired.
      claim;
};

struct Ledger {
  std::deque<Intent> intents;
  std::deque<Attempt> attempts;
  std::deque<Call> calls;
  std::unordered_map<idempotency::Token, ClaimFacts, store::TokenHash> claims;
  std::unordered_map<std::string, std::vector<Effect>> effects;             // by identity
  std::unordered_map<std::string, std::vector<Acknowledged>> acknowledged;  // by identity
  std::size_t claims_begun = 0;
  std::size_t effects_made = 0;
  std::size_t answers_given = 0;

  [[nodiscard]] ClaimFacts* Claim(const std::optional<idempotency::Token>& token) {
    if (!token) return nullptr;
    const auto found = claims.find(*token);
    return found == claims.end() ? nullptr : &found->second;
  }
  /// Returns the claim for which `call` is the outcome of its key.
  [[nodiscard]] ClaimFacts* ClaimOf(const Call& call) {
    return Claim(call.shows == nullptr ? call.attempt->token : call.recorded_under);
  }
  /// Returns the attempt that sent this request. A caller's request id is the number of its
  /// attempt.
  [[nodiscard]] Attempt& AttemptOf(const http::RequestHead& head) {
    const std::size_t number = NumberIn(head.fields, "X-Request-Id");
    INVARIANT(number > 0 && number <= attempts.size());
    return attempts[number - 1];
  }
  /// Returns the call that answered with these fields, or null.
  [[nodiscard]] Call* AnsweredCall(const http::Fields& fields) {
    const std::size_t number = NumberIn(fields, "X-Call");
    const bool known = number > 0 && number <= calls.size() && calls[number - 1].answered;
    return known ? &calls[number - 1] : nullptr;
  }
  [[nodiscard]] static std::size_t NumberIn(const http::Fields& fields, std::string_view name) {
    std::size_t number = 0;
    const std::string_view text = fields.Find(name).value_or("");
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  /// Returns whether a fail-over lost that `call` is the outcome of its key.
  [[nodiscard]] bool IsOutcomeForgotten(const Call& call) {
    const ClaimFacts* claim = ClaimOf(call);
    return claim != nullptr && claim->outcome_forgotten;
  }
};

}  // namespace idem::simulation
