#include "proxy/exchange/claim/settlement_retrier.h"

#include <algorithm>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/exchange/claim/store_metrics.h"
#include "proxy/idempotency/key.h"

namespace idem::exchange {

namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(25);
constexpr Duration kLongestPause = std::chrono::seconds(1);

std::size_t BytesOf(const idempotency::StoredResponse& response) {
  std::size_t bytes = response.body.size();
  for (const http::FieldLine line : response.fields) bytes += line.name.size() + line.value.size();
  return bytes;
}

}  // namespace

SettlementRetrier::~SettlementRetrier() {
  for (Entry& entry : entries_) {
    entry.question.Withdraw();
    if (entry.failed) {
      unrecorded_.bytes -= entry.held_bytes;
      --unrecorded_.count;
    }
    INVARIANT(!entry.completion.awaited());  // callers die before answerers
  }
}

Ticket SettlementRetrier::Settle(ports::Transition settlement, OnSettled on_settled, Offer offer) {
  auto [ticket, completion] = idem::Ask<ports::TransitionResult>(std::move(on_settled));
  Entry& entry = entries_.emplace_front();
  entry.settlement = std::move(settlement);
  entry.offer = offer;
  entry.completion = std::move(completion);
  entry.self = entries_.begin();
  entry.next_pause = kFirstPause;
  Ask(entry);
  return std::move(ticket);
}

void SettlementRetrier::SettleInBackground(ports::Transition settlement) {
  auto ticket = Settle(std::move(settlement), [](const ports::TransitionResult&) {});
  ticket.Withdraw();
}

void SettlementRetrier::Ask(Entry& entry) {
  entry.question =
      store_.Apply(entry.settlement, [this, &entry](Result<ports::TransitionResult> answer) {
        OnAnswer(entry, std::move(answer));
      });
}

void SettlementRetrier::OnAnswer(Entry& entry, Result<ports::TransitionResult> answer) {
  CountSettlement(metrics_, entry.settlement.kind, answer);
  if (answer) {
    LogHeld(entry, *answer);
    Close(entry, std::move(*answer));
    return;
  }
  // The value under the key is no record, so it is no claim of ours either, and another withdrawal
  // would change nothing.
  const bool is_no_claim = entry.settlement.kind == ports::Transition::Kind::kWithdraw &&
                           answer.error().code == ErrorCode::kCorrupt;
  if (is_no_claim) return Close(entry, {});
  if (!entry.failed) {
    entry.failed = true;
    entry.held_bytes = entry.settlement.response ? BytesOf(*entry.settlement.response) : 0;
    unrecorded_.bytes += entry.held_bytes;
    ++unrecorded_.count;
    log::WriteLimited(log::Level::kWarn, "settlement_retried",
                      {{"key_hash", idempotency::KeyHash(entry.settlement.record_key)},
                       {"reason", answer.error().detail}});
  }
  Retry(entry);
}

void SettlementRetrier::Retry(Entry& entry) {
  entry.pause = loop_.After(entry.next_pause, [this, &entry] { Ask(entry); });
  entry.next_pause = std::min(entry.next_pause * 2, kLongestPause);
}

void SettlementRetrier::Close(Entry& entry, ports::TransitionResult answer) {
  if (entry.failed) {
    unrecorded_.bytes -= entry.held_bytes;
    --unrecorded_.count;
  }
  auto completion = std::move(entry.completion);
  entries_.erase(entry.self);
  completion(std::move(answer));
}

// Reports to the operator that an effect was made under a claim that is no longer ours in the
// store.
void SettlementRetrier::LogHeld(const Entry& entry, const ports::TransitionResult& answer) {
  const ports::Transition& what = entry.settlement;
  if (answer.kind != ports::TransitionResult::Kind::kHeld || what.claim.upstream_idempotent) return;
  if (entry.offer == Offer::kAgain) return;
  if (what.kind != ports::Transition::Kind::kComplete &&
      what.kind != ports::Transition::Kind::kMarkUnknown)
    return;
  // A record with our own token: the same effect was settled before us.
  if (answer.record->claim.token == what.claim.token) return;
  metrics_.duplicate_effect_possible.Add();
  log::Write(log::Level::kError, "duplicate_effect_possible",
             {{"key_hash", idempotency::KeyHash(what.record_key)}, {"route", what.claim.route}});
}

}  // namespace idem::exchange
