// What happened in one simulated world: who asked for what, what the store was asked to do for it,
// what the backend did and answered. Written down as it happens; the auditor judges it.
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

/// One thing that somebody wants done, however often it is sent.
struct Intent {
  std::size_t number = 0;
  std::string key;
  std::string client;
  std::string tenant;  // of the field that a scope may name
  std::string route;
  std::string target;
  std::string body;
  http::Fields signature;  // what its client signs it with; empty where nobody asks
  std::string identity;    // the scope and the key, as semantics.md has them: what may be done once
};

/// One request of one caller, as one proxy gets it.
struct Attempt {
  std::size_t number = 0;
  const Intent* intent = nullptr;
  std::size_t process = 0;  // the incarnation that got it
  BootTime began{};
  bool written = false;                      // a byte of it went to the backend
  std::string record_key;                    // as the proxy sees it
  std::optional<idempotency::Token> token;   // of its claim, once one was proposed
  std::optional<idempotency::Token> holder;  // of the record that its `begin` met last
};

/// When a claim ended, as far as it has. Times are the store's.
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
  bool strange = false;  // claimed with a recipe that no other replica knows
  idempotency::Milliseconds lease{};
  idempotency::Milliseconds unknown_ttl{};
  idempotency::Milliseconds ttl{};
  std::optional<StoreTime> begun_at;
  std::size_t number = 0;  // in the order in which claims began: the store's clock may stand still
  const Call* outcome = nullptr;  // with which it was completed
  std::optional<StoreTime> withdrawn_at;
  // Of a store that failed over: the ends that it lost are null again.
  std::optional<StoreTime> forgotten_at;  // that this claim was made
  bool outcome_forgotten = false;         // how it was completed
  struct Lost {
    ClaimEnds ends;   // as they stood
    StoreTime until;  // then they were forgotten
  };
  std::vector<Lost> lost;
  bool withdrawn = false;  // once, also where that was forgotten
  // It lies there though nobody claims it any more: its begin, or a copy of it, came later than a
  // mark reaches, or a fail-over lost its end.
  bool came_back = false;
};

/// One request at the backend, and what it answered.
struct Call {
  std::size_t number = 0;
  Attempt* attempt = nullptr;
  bool claimed_idempotent = false;  // by the policy of the proxy that sent it
  StoreTime written_at{};
  bool answered = false;  // the backend sent this:
  std::uint16_t status = 0;
  http::Fields fields;
  std::string body;
  // Of a look-up's answer, which stands here as it is to be recorded:
  const Call* shows = nullptr;                       // whose effect it shows; null: it is none
  std::optional<idempotency::Token> recorded_under;  // the claim that it settled
};

struct Effect {
  std::size_t number = 0;
  const Call* call = nullptr;
};

/// An executed outcome that a caller was given as the one that stays.
struct Acknowledged {
  const Call* call = nullptr;
  const Attempt* attempt = nullptr;
  BootTime at{};
  ClaimFacts
      claim;  // as it stood then: once its record has expired, its outcome may be recorded anew
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
  /// That with which `call` is the outcome of its key.
  [[nodiscard]] ClaimFacts* ClaimOf(const Call& call) {
    return Claim(call.shows == nullptr ? call.attempt->token : call.recorded_under);
  }
  /// Whose request at the backend this is: a caller's request id is the number of its attempt.
  [[nodiscard]] Attempt& AttemptOf(const http::RequestHead& head) {
    const std::size_t number = NumberIn(head.fields, "X-Request-Id");
    INVARIANT(number > 0 && number <= attempts.size());
    return attempts[number - 1];
  }
  /// The call that answered with these fields; null: none ever did.
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
  /// Whether a fail-over lost that `call` is the outcome of its key.
  [[nodiscard]] bool IsOutcomeForgotten(const Call& call) {
    const ClaimFacts* claim = ClaimOf(call);
    return claim != nullptr && claim->outcome_forgotten;
  }
};

}  // namespace idem::simulation
