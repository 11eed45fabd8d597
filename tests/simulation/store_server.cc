#include "tests/simulation/store_server.h"

#include <algorithm>
#include <utility>

namespace idem::simulation {

namespace {

using idempotency::Record;
using idempotency::RecordState;
using idempotency::Token;
using ports::BeginRequest;
using ports::BeginResult;
using ports::Transition;
using ports::TransitionResult;
using store::RecordWrite;
using store::StoredRecord;

constexpr std::size_t kLastWritesMax = 8;

std::string_view NameOf(RecordState state) {
  constexpr std::string_view kNames[] = {"executing", "completed", "unknown"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string Short(const Token& token) { return token.ToHex().substr(0, 6); }

// Returns the cell of a record with an unknown outcome, by whether its claim and the new request
// are idempotent.
Met OfUnknown(Met first, bool claim, bool asker) {
  const int offset = claim ? (asker ? 0 : 1) : (asker ? 2 : 3);
  return static_cast<Met>(static_cast<int>(first) + offset);
}

Met CellOf(const BeginRequest& question, const Record& record, StoreTime now) {
  const bool same = record.claim.fingerprint == question.claim.fingerprint;
  const bool ran_out =
      record.state == RecordState::kExecuting && record.state_at(now) == RecordState::kUnknown;
  const bool claim = record.claim.upstream_idempotent;
  const bool asker = question.claim.upstream_idempotent;
  switch (record.state) {
    case RecordState::kCompleted:
      if (!same) return Met::kCompletedOther;
      return record.response->body_kept ? Met::kReplay : Met::kNotKept;
    case RecordState::kExecuting:
      if (!same) return ran_out ? Met::kRunOutOther : Met::kExecutingOther;
      return ran_out ? OfUnknown(Met::kRunOutBothIdempotent, claim, asker) : Met::kInProgress;
    case RecordState::kUnknown:
      break;
  }
  if (!same) return Met::kUnknownOther;
  return OfUnknown(Met::kUnknownBothIdempotent, claim, asker);
}

}  // namespace

StoreTime StoreServer::Now() const {
  const auto shown = timeline_.now().time_since_epoch() + ahead_;
  return std::max(stands_at_,
                  StoreTime(std::chrono::duration_cast<std::chrono::milliseconds>(shown)));
}

void StoreServer::Stand(Duration by) {
  stands_at_ = Now();
  ahead_ -= by;
}

StoredRecord StoreServer::Lies(const std::string& key) const {
  const auto found = records_.find(key);
  return found == records_.end() ? StoredRecord() : found->second;
}

StoredRecord StoreServer::Find(const std::string& key) const {
  return store::WithoutExpired(Lies(key), Now());
}

template <class Answer>
Answer StoreServer::Run(const std::string& key, store::Step<Answer> step) {
  if (step.change == RecordWrite::kNone) return std::move(step.answer);
  last_writes_.push_back({key, Lies(key)});
  if (last_writes_.size() > kLastWritesMax) last_writes_.pop_front();
  if (step.change == RecordWrite::kErase) {
    records_.erase(key);
  } else {
    records_.insert_or_assign(key, std::move(*step.record));
  }
  return std::move(step.answer);
}

BeginResult StoreServer::Begin(const BeginRequest& question) {
  BeginResult answer;
  if (question.limit) {
    answer.limit = Count(*question.limit);
    if (!answer.limit->allowed) {
      coverage_.Count(Met::kLimited);
      answer.kind = BeginResult::Kind::kLimited;
      return answer;
    }
  }
  const StoreTime now = Now();
  answer.now = now;
  ClaimFacts& claim = ledger_.claims[question.claim.token];
  if (withdrawals_->Holds(question.claim.token, now)) {
    coverage_.Count(Met::kWithdrawn);
    answer.kind = BeginResult::Kind::kWithdrawn;
    return answer;
  }
  CountMet(question, Lies(question.record_key));
  auto limit = answer.limit;
  auto step = store::Begin(Find(question.record_key), question.claim, question.replaces, now);
  if (step.change == RecordWrite::kWrite) {
    if (question.replaces && step.answer.kind == BeginResult::Kind::kClaimed &&
        Find(question.record_key)) {
      CountTaken(question, *Find(question.record_key));
    }
    if (!claim.begun_at) {
      claim.begun_at = now;
      claim.number = ++ledger_.claims_begun;
    }
    claim.came_back = claim.came_back || claim.withdrawn || takes_a_copy;
    auditor_.OnClaimWritten(claim, now);
  } else if (question.replaces) {
    coverage_.Count(Met::kTakeoverTooLate);
  }
  answer = Run(question.record_key, std::move(step));
  answer.limit = std::move(limit);
  trace_.Say([&](auto& out) {
    out << "store    begin " << Short(question.claim.token) << " on " << question.record_key;
    if (!answer.record) {
      out << ": claimed";
    } else {
      out << ": held, " << NameOf(answer.record->state) << " " << Short(answer.record->claim.token);
    }
  });
  return answer;
}

void StoreServer::CountTaken(const BeginRequest& question, const Record& from) {
  const bool by_rule = from.claim.upstream_idempotent && question.claim.upstream_idempotent;
  by_rule ? coverage_.Count(Met::kTakenOver) : coverage_.Count(LookedUp::kNotThereExecuted);
}

void StoreServer::CountMet(const BeginRequest& question, const StoredRecord& lies) {
  const StoreTime now = Now();
  if (!lies) return coverage_.Count(Met::kAbsent);
  if (lies->expired_at(now)) {
    return coverage_.Count(lies->state == RecordState::kCompleted ? Met::kExpiredCompleted
                                                                  : Met::kExpiredUnknown);
  }
  if (lies->claim.token == question.claim.token) return coverage_.Count(Met::kMine);
  if (lies->claim.recipe != question.claim.recipe) {
    return coverage_.Count(lies->claim.recipe.starts_with("9:") ? Met::kStrangeRecipe
                                                                : Met::kOtherRecipe);
  }
  const Met cell = CellOf(question, *lies, now);
  coverage_.Count(cell);
  if (cell != Met::kInProgress) return;
  const ClaimFacts* mine = ledger_.Claim(std::optional(question.claim.token));
  const ClaimFacts* theirs = ledger_.Claim(std::optional(lies->claim.token));
  if (mine->attempt->process != theirs->attempt->process) {
    coverage_.Count(Fault::kDuplicateElsewhere);
  }
}

TransitionResult StoreServer::Apply(const Transition& what) {
  const StoreTime now = Now();
  const StoredRecord present = Find(what.record_key);
  auto step = store::Apply(what, present, now);
  const bool writes = step.change == RecordWrite::kWrite;
  switch (what.kind) {
    case Transition::Kind::kComplete:
      NoteComplete(what, present, step);
      break;
    case Transition::Kind::kRelease:
      break;
    case Transition::Kind::kMarkUnknown:
      if (writes || !present) ledger_.claims[what.claim.token].marked_at = now;
      break;
    case Transition::Kind::kWithdraw:
      NoteWithdraw(what);
      break;
    case Transition::Kind::kReleaseUnknown:
      if (step.change == RecordWrite::kErase) NoteReleaseUnknown(what);
      break;
    case Transition::Kind::kResolveUnknown:
      if (writes) NoteResolveUnknown(what);
      break;
  }
  Say(what, step);
  return Run(what.record_key, std::move(step));
}

void StoreServer::NoteComplete(const Transition& what, const StoredRecord& present,
                               const store::TransitionStep& step) {
  const StoreTime now = Now();
  Call* call = ledger_.AnsweredCall(what.response->fields);
  const bool found = call != nullptr && call->shows != nullptr;
  if (step.change == RecordWrite::kWrite || !present) {  // an absent record must be written
    ClaimFacts& facts = ledger_.claims[what.claim.token];
    facts.completed_at = now;
    facts.ttl = what.ttl;
    facts.outcome = call;
    if (found) {
      call->recorded_under = what.claim.token;
      coverage_.Count(LookedUp::kFoundRecorded);
    } else if (present && now >= present->lease_ends_at) {
      coverage_.Count(Fault::kLeaseRanOutAtWork);
    }
  } else if (found && !call->recorded_under) {
    coverage_.Count(LookedUp::kFoundTooLate);
  }
}

void StoreServer::NoteWithdraw(const Transition& what) {
  const StoreTime now = Now();
  withdrawals_->Mark(what.claim.token, now + what.claim.lease, now);
  ClaimFacts& claim = ledger_.claims[what.claim.token];
  if (!claim.begun_at) coverage_.Count(Fault::kWithdrawnBeforeBegun);
  claim.withdrawn_at = now;
  claim.withdrawn = true;
}

void StoreServer::NoteReleaseUnknown(const Transition& what) {
  ledger_.claims[what.claim.token].released_by_operator_at = Now();
  coverage_.Count(Fault::kOperatorReleased);
}

void StoreServer::NoteResolveUnknown(const Transition& what) {
  ClaimFacts& facts = ledger_.claims[what.claim.token];
  facts.completed_at = Now();
  facts.ttl = what.ttl;
  facts.outcome = ledger_.AnsweredCall(what.response->fields);
  coverage_.Count(Fault::kOperatorResolved);
}

void StoreServer::Say(const Transition& what, const store::TransitionStep& step) const {
  constexpr std::string_view kNames[] = {"store    complete ",     "store    release ",
                                         "store    mark unknown ", "store    withdraw ",
                                         "operator releases ",     "operator resolves "};
  trace_.Say([&](auto& out) {
    out << kNames[static_cast<std::size_t>(what.kind)] << Short(what.claim.token) << " on "
        << what.record_key << (step.change == RecordWrite::kNone ? ": nothing changed" : ": done");
  });
}

ports::LookUpReservation StoreServer::ReserveLookUp(const ports::LookUpRequest& request) {
  const StoreTime now = Now();
  auto step = store::ReserveLookUp(Find(request.record_key), request.token,
                                   look_ups_->Find(request.token, now), now);
  using Kind = ports::LookUpReservation::Kind;
  if (step.answer.kind == Kind::kTaken) coverage_.Count(LookedUp::kTaken);
  if (step.answer.kind == Kind::kChanged) coverage_.Count(LookedUp::kChanged);
  if (step.answer.kind == Kind::kGranted) {
    look_ups_->Mark(request.token, now + request.pause, now);
  }
  return Run(request.record_key, std::move(step));
}

ports::ReadResult StoreServer::Read(const std::string& key) {
  return Run(key, store::Read(Find(key), Now()));
}

ports::LimitResult StoreServer::Count(const ports::LimitRequest& question) {
  if (!limits_) limits_ = std::make_unique<store::LimitTable>();
  return limits_->Count(question, Now());
}

void StoreServer::FailOver(std::size_t writes) {
  look_ups_ = std::make_unique<store::TokenMarks>();
  withdrawals_ = std::make_unique<store::TokenMarks>();
  for (auto& [token, claim] : ledger_.claims) claim.withdrawn_at.reset();
  for (std::size_t i = 0; i < writes && !last_writes_.empty(); ++i) {
    Write write = std::move(last_writes_.back());
    last_writes_.pop_back();
    ForgetWrite(write.key, write.before);
    trace_.Say([&](auto& out) { out << "store    lost its last write to " << write.key; });
    coverage_.Count(Fault::kStoreLostWrites);
    if (write.before) {
      records_.insert_or_assign(write.key, std::move(*write.before));
    } else {
      records_.erase(write.key);
    }
  }
}

// Removes the facts about a claim that the lost write had established.
void StoreServer::ForgetWrite(const std::string& key, const StoredRecord& before) {
  const StoreTime now = Now();
  const StoredRecord lost = Lies(key);
  if (before) ledger_.claims[before->claim.token].came_back = true;
  ClaimFacts& claim = ledger_.claims[lost ? lost->claim.token : before->claim.token];
  claim.lost.push_back({claim, now});
  if (!lost) {  // it was released and is there again
    claim.released_by_operator_at.reset();
    return;
  }
  if (!before || before->claim.token != lost->claim.token) claim.forgotten_at = now;
  if (lost->state == RecordState::kUnknown) claim.marked_at.reset();
  if (lost->state != RecordState::kCompleted) return;
  claim.completed_at.reset();
  claim.outcome_forgotten = true;
}

}  // namespace idem::simulation
