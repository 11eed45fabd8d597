#include "tests/simulation/auditor.h"

#include <algorithm>
#include <array>

namespace idem::simulation {

namespace {

using idempotency::Record;
using idempotency::RecordState;

// Excludes the fields that a replay does not carry and those that the proxy adds.
bool IsKept(std::string_view name) {
  constexpr std::array<std::string_view, 13> kNot = {"Set-Cookie",
                                                     "WWW-Authenticate",
                                                     "Alt-Svc",
                                                     "Retry-After",
                                                     "Date",
                                                     "X-Request-Id",
                                                     "RateLimit",
                                                     "Idempotent-Replayed",
                                                     "Idempotency-Status",
                                                     "Content-Length",
                                                     "RateLimit-Policy",
                                                     "X-RateLimit-Limit",
                                                     "X-RateLimit-Remaining"};
  return std::none_of(
             kNot.begin(), kNot.end(),
             [&](std::string_view other) { return http::EqualsIgnoreCase(name, other); }) &&
         !http::EqualsIgnoreCase(name, "X-RateLimit-Reset");
}

std::string KeptFields(const http::Fields& fields) {
  std::string text;
  for (const http::FieldLine line : fields) {
    if (!IsKept(line.name)) continue;
    text.append(line.name).append(": ").append(line.value).append("\n");
  }
  return text;
}

std::string_view Between(std::string_view text, std::string_view before, char after) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + before.size());
  return text.substr(0, text.find(after));
}

std::string_view ProblemName(const Answer& answer) {
  return Between(answer.body, "urn:idemproxy:problem:", '"');
}

bool IsProblem(const Answer& answer) {
  return answer.head.fields.Find("Content-Type").value_or("") == "application/problem+json";
}

// Returns whether a response is final, by the table of semantics.md.
bool Stays(std::uint16_t status, bool idempotent) {
  constexpr std::array<std::uint16_t, 5> kNotActed = {401, 407, 421, 425, 429};
  constexpr std::array<std::uint16_t, 8> kGateway = {408, 460, 499, 502, 503, 504, 524, 598};
  const auto is_one = [&](const auto& list) {
    return std::find(list.begin(), list.end(), status) != list.end();
  };
  if (is_one(kNotActed) || is_one(kGateway)) return false;
  if (status == 409 || status >= 500) return !idempotent;
  return true;
}

// Returns a claim's ends at a moment when the store may not have forgotten them yet.
const ClaimEnds& EndsAt(const ClaimFacts& claim, StoreTime now) {
  for (const ClaimFacts::Lost& lost : claim.lost) {
    if (now <= lost.until) return lost.ends;
  }
  return claim;
}

// Returns the moment from which the key is free by the contract: the end of the claim's own life,
// as known at `now`. The operator's word frees a released key.
StoreTime EndOfLife(const ClaimFacts& claim, StoreTime now) {
  const ClaimEnds& ends = EndsAt(claim, now);
  const auto& released = ends.released_by_operator_at;
  if (released && *released <= now) return *released;
  if (ends.completed_at && *ends.completed_at <= now) return *ends.completed_at + claim.ttl;
  if (ends.marked_at && *ends.marked_at <= now) return *ends.marked_at + claim.unknown_ttl;
  return *claim.begun_at + claim.lease + claim.unknown_ttl;
}

bool BeganBefore(const ClaimFacts& a, const ClaimFacts& b) {
  return *a.begun_at != *b.begun_at ? *a.begun_at < *b.begun_at : a.number < b.number;
}

// A forgotten claim is absent until its end is written again.
bool IsForgottenAt(const ClaimFacts& claim, StoreTime now) {
  const bool is_rewritten = (claim.completed_at && *claim.completed_at <= now) ||
                            (claim.marked_at && *claim.marked_at <= now);
  return claim.forgotten_at && *claim.forgotten_at <= now && !is_rewritten;
}

}  // namespace

void Auditor::Fail(std::string_view verdict) {
  trace_.Say([&](auto& out) { out << "AUDITOR: " << verdict; });
  if (!verdict_) verdict_ = verdict;
}

void Auditor::OnEffect(const Call& call) {
  const Intent& intent = *call.attempt->intent;
  auto& effects = ledger_.effects[intent.identity];
  const Effect effect{++ledger_.effects_made, &call};
  // Each effect belongs to a claim. Without one it began when its request was written.
  const auto claim_of = [&](const Call& of) {
    const ClaimFacts* known = ledger_.Claim(of.attempt->token);
    ClaimFacts claim = known == nullptr ? ClaimFacts{} : *known;
    if (!claim.begun_at) claim.begun_at = of.written_at;
    return claim;
  };
  const ClaimFacts mine = claim_of(call);
  for (const Effect& other : effects) {
    const ClaimFacts theirs = claim_of(*other.call);
    const bool later = BeganBefore(theirs, mine);
    const ClaimFacts& first = later ? theirs : mine;
    const StoreTime second_begun = later ? *mine.begun_at : *theirs.begun_at;
    if (second_begun >= EndOfLife(first, second_begun)) continue;
    if (IsForgottenAt(first, second_begun)) {
      coverage_.Count(Excused::kEffect);
    } else {
      Fail("an effect was made twice for one key while its record lived");
    }
  }
  effects.push_back(effect);
}

void Auditor::OnClaimWritten(const ClaimFacts& claim, StoreTime now) {
  const bool was_withdrawn = claim.withdrawn_at && now < *claim.withdrawn_at + claim.lease;
  if (was_withdrawn) Fail("a begin that came after its withdrawal holds the key");
}

Next Auditor::OnAnswer(const Attempt& attempt, const Answer& answer,
                       const std::optional<Record>& present, BootTime now, StoreTime store_now) {
  ++ledger_.answers_given;
  if (IsProblem(answer)) return OnProblem(attempt, answer, store_now);
  return OnExecuted(attempt, answer, present, now, store_now);
}

Next Auditor::OnProblem(const Attempt& attempt, const Answer& answer, StoreTime store_now) {
  const std::string_view name = ProblemName(answer);
  const bool by_record = name == "payload-mismatch" || name == "in-progress" ||
                         name == "outcome-unknown" || name == "response-not-kept";
  const bool not_sent = name == "payload-mismatch" || name == "rate-limited" ||
                        name == "store-unavailable" || name == "upstream-unreachable" ||
                        name == "overloaded" || name == "draining";
  if (not_sent && attempt.written) Fail("a caller was told that nothing was sent, and it was");
  if (by_record && !attempt.written) CheckHolder(attempt, name != "payload-mismatch");
  const bool says_not_executed = name == "payload-mismatch" || name == "in-progress" ||
                                 name == "outcome-unknown" || name.starts_with("upstream-");
  if (says_not_executed) CheckNotLost(attempt, nullptr, store_now);
  if (name == "response-not-kept") CheckNotKept(attempt, answer, store_now);
  if (name == "payload-mismatch") coverage_.Count(Fault::kMismatch);
  if (name == "outcome-unknown") coverage_.Count(Fault::kUnknownTold);
  if (name == "rate-limited") coverage_.Count(Fault::kRateLimited);
  if (name == "store-unavailable") coverage_.Count(Fault::kStoreUnavailable);
  const std::string_view retry = Between(answer.body, "\"retry\":\"", '"');
  CheckAdvice(attempt, name, retry);
  return retry == "same-key" ? Next::kAgain : Next::kDone;
}

// A caller obeys. What it is told may not make it pay for what has taken effect: `correct` on a
// mismatch sends it to a key of its own, so nothing may have been done under this one.
void Auditor::CheckAdvice(const Attempt& attempt, std::string_view name, std::string_view retry) {
  constexpr std::array<std::string_view, 4> kValues = {"same-key", "correct", "settle", "never"};
  if (std::find(kValues.begin(), kValues.end(), retry) == kValues.end()) {
    return Fail("a caller was given an advice that semantics.md does not have");
  }
  const ClaimFacts* holder = ledger_.Claim(attempt.holder);
  if (name != "payload-mismatch" || holder == nullptr || retry != "correct") return;
  const auto& effects = ledger_.effects[attempt.intent->identity];
  const bool made = std::any_of(effects.begin(), effects.end(), [&](const Effect& effect) {
    return effect.call->attempt->token == attempt.holder;
  });
  if (made) Fail("a caller was sent to a new key by a request that took effect");
}

// The record that was met must have the same scope and key, and the same or another request, as the
// caller's answer says.
void Auditor::CheckHolder(const Attempt& attempt, bool same_request) {
  const ClaimFacts* holder = ledger_.Claim(attempt.holder);
  if (holder == nullptr) return;
  if (holder->strange && !same_request) {
    return Fail("a caller was told of a mismatch with what could not be compared");
  }
  if (holder->strange) return;
  const Intent& theirs = *holder->attempt->intent;
  if (theirs.identity != attempt.intent->identity) {
    return Fail("a caller met the record of another client, route or key");
  }
  if (same_request && &theirs != attempt.intent) {
    Fail("a caller was told of the outcome of another request");
  }
  if (!same_request && &theirs == attempt.intent) {
    Fail("a caller was told of a mismatch with its own request");
  }
}

// The reported status of a response that was not kept must be the one with which the claim was
// completed.
void Auditor::CheckNotKept(const Attempt& attempt, const Answer& answer, StoreTime store_now) {
  const ClaimFacts* holder = ledger_.Claim(attempt.holder);
  const Call* kept = holder == nullptr ? nullptr : holder->outcome;
  const std::string status = kept == nullptr ? "" : std::to_string(kept->status);
  const auto told = Between(answer.body, "\"executed_status\":", '}');
  if (status.empty() || told.substr(0, told.find(',')) != status) {
    Fail("a caller was told another status than that with which its request was executed");
  }
  CheckNotLost(attempt, kept, store_now);
}

Next Auditor::OnExecuted(const Attempt& attempt, const Answer& answer,
                         const std::optional<Record>& present, BootTime now, StoreTime store_now) {
  const Call* sent = ledger_.AnsweredCall(answer.head.fields);
  if (sent == nullptr) {
    return Fail("a caller was given a response that the backend never sent"), Next::kDone;
  }
  const Call& call = *sent;
  if (call.attempt->intent != attempt.intent) {
    return Fail("a caller was given the response to another request"), Next::kDone;
  }
  const bool replayed = answer.head.fields.Find("Idempotent-Replayed").has_value();
  const bool unrecorded = answer.head.fields.Find("Idempotency-Status").has_value();
  if (!replayed && (call.attempt != &attempt || call.shows != nullptr)) {
    Fail("a replay was not marked as one");
  }
  if (call.shows != nullptr) CheckShown(call);
  CheckBytes(attempt, answer, call);
  const bool stays = Stays(call.status, call.claimed_idempotent);
  if (unrecorded) coverage_.Count(Fault::kUnrecorded);
  if (replayed && !stays) Fail("a response that is never recorded was replayed");
  if (!stays) CheckNotLost(attempt, nullptr, store_now);
  if (!stays && !replayed) return Next::kAgain;
  if (!unrecorded) {
    if (!replayed) CheckRecorded(call, present, store_now);
    Acknowledge(attempt, call, now, store_now);
  }
  return answer.whole ? Next::kDone : Next::kAgain;
}

void Auditor::CheckBytes(const Attempt& attempt, const Answer& answer, const Call& call) {
  if (answer.head.status != call.status) Fail("a caller was given another status");
  if (KeptFields(answer.head.fields) != KeptFields(call.fields)) {
    Fail("a caller was given other fields");
  }
  const bool same = answer.whole ? answer.body == call.body : call.body.starts_with(answer.body);
  if (!same) Fail("a caller was given another body");
  static_cast<void>(attempt);
}

// The result of a look-up is the key's outcome only if it is the effect of this request.
void Auditor::CheckShown(const Call& call) {
  const ClaimFacts* shown = ledger_.Claim(call.shows->attempt->token);
  if (shown != nullptr && shown->forgotten_at) return;
  const auto& effects = ledger_.effects[call.attempt->intent->identity];
  const bool made = std::any_of(effects.begin(), effects.end(),
                                [&](const Effect& effect) { return effect.call == call.shows; });
  if (!made || call.shows->attempt->intent != call.attempt->intent) {
    Fail("a look-up answered for the effect of another request");
  }
}

// Checks that a response is recorded before it is sent.
void Auditor::CheckRecorded(const Call& call, const std::optional<Record>& present,
                            StoreTime store_now) {
  if (ledger_.IsOutcomeForgotten(call)) return;
  const ClaimFacts* claim = ledger_.Claim(call.attempt->token);
  const bool completed = claim != nullptr && claim->completed_at;
  if (completed && store_now >= *claim->completed_at + claim->ttl) return;
  const bool recorded = completed && present && present->state == RecordState::kCompleted &&
                        present->response->status == call.status &&
                        KeptFields(present->response->fields) == KeptFields(call.fields) &&
                        (!present->response->body_kept || present->response->body == call.body);
  if (!recorded) Fail("a caller was answered before the record was durable");
}

void Auditor::Acknowledge(const Attempt& attempt, const Call& call, BootTime now,
                          StoreTime store_now) {
  const Intent& intent = *attempt.intent;
  auto& all = ledger_.acknowledged[intent.identity];
  CheckNotLost(attempt, &call, store_now);
  for (const Acknowledged& other : all) {
    if (other.call == &call) continue;
    if (ledger_.IsOutcomeForgotten(call) || ledger_.IsOutcomeForgotten(*other.call)) {
      coverage_.Count(Excused::kAnswer);
      continue;
    }
    const ClaimFacts* mine = ledger_.ClaimOf(call);
    const ClaimFacts* theirs = &other.claim;
    if (mine == nullptr || !mine->completed_at || !theirs->completed_at) {
      return Fail("an outcome was given that no record ever held");
    }
    const bool later = *mine->completed_at >= *theirs->completed_at;
    const ClaimFacts& first = later ? *theirs : *mine;
    const ClaimFacts& second = later ? *mine : *theirs;
    if (*second.completed_at < *first.completed_at + first.ttl) {
      Fail("two different answers were given for one key while its record lived");
    }
  }
  if (!all.empty() && all.back().call == &call) return;
  const ClaimFacts* claim = ledger_.ClaimOf(call);
  all.push_back({&call, &attempt, now, claim == nullptr ? ClaimFacts{} : *claim});
}

// An outcome that a caller got must not change while its record lives: every later caller gets the
// same.
void Auditor::CheckNotLost(const Attempt& attempt, const Call* instead, StoreTime store_now) {
  const ClaimFacts* holder = ledger_.Claim(attempt.holder);
  if (holder != nullptr && holder->strange) return;
  for (const Acknowledged& given : ledger_.acknowledged[attempt.intent->identity]) {
    if (given.attempt->intent != attempt.intent || given.call == instead) continue;
    if (given.at >= attempt.began) continue;
    if (ledger_.IsOutcomeForgotten(*given.call)) {
      coverage_.Count(Excused::kAnswer);
      continue;
    }
    const ClaimFacts& claim = given.claim;
    if (claim.completed_at && store_now < *claim.completed_at + claim.ttl) {
      Fail("an outcome that a caller was given was lost");
    }
  }
}

// Only a process that dies leaves a claim to its lease. Only a request that was sent can have an
// unknown outcome.
void Auditor::OnRest(const Record& record, const ClaimFacts& claim, bool in_order) {
  if (!in_order || claim.came_back) return;
  if (record.state == RecordState::kExecuting) {
    Fail("a claim was left open by a process that lives");
  }
  if (record.state == RecordState::kUnknown && !claim.attempt->written) {
    Fail("an outcome became unknown, and nothing had been sent");
  }
}

}  // namespace idem::simulation
