// The store that all simulated proxies share: the product's own transitions on a map, its own
// clock, and the faults inside a store. store_link.h simulates the way to it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "proxy/ports/record_store.h"
#include "proxy/store/local/limit_table.h"
#include "proxy/store/local/token_marks.h"
#include "proxy/store/record_steps.h"
#include "tests/simulation/auditor.h"

namespace idem::simulation {

class StoreServer {
 public:
  StoreServer(const Timeline& timeline, Ledger& ledger, Auditor& auditor, Coverage& coverage,
              const Trace& trace)
      : timeline_(timeline),
        ledger_(ledger),
        auditor_(auditor),
        coverage_(coverage),
        trace_(trace) {}

  // The steps of ports::RecordStore. Each happens at once and completely.
  ports::BeginResult Begin(const ports::BeginRequest& question);
  ports::TransitionResult Apply(const ports::Transition& transition);
  ports::LookUpReservation ReserveLookUp(const ports::LookUpRequest& request);
  ports::ReadResult Read(const std::string& key);
  ports::LimitResult Count(const ports::LimitRequest& question);

  /// Returns the record of a key now.
  [[nodiscard]] store::StoredRecord Find(const std::string& key) const;
  [[nodiscard]] StoreTime Now() const;
  /// Returns all records, expired ones included.
  [[nodiscard]] const std::map<std::string, idempotency::Record>& records() const {
    return records_;
  }

  bool away = false;
  /// The present step is a copy of an earlier call, whose caller may have gone on since.
  bool takes_a_copy = false;
  /// Sets its clock ahead.
  void Jump(Duration by) { ahead_ += by; }
  /// Simulates a clock that was set back: it stands still for `by`.
  void Stand(Duration by);
  /// Forgets the last `writes` writes and every mark of a withdrawal or of a look-up.
  void FailOver(std::size_t writes);

 private:
  struct Write {
    std::string key;
    store::StoredRecord before;
  };
  template <class Answer>
  Answer Run(const std::string& key, store::Step<Answer> step);
  // What the ledger notes of a transition, from the record before it and its step.
  void NoteComplete(const ports::Transition& what, const store::StoredRecord& present,
                    const store::TransitionStep& step);
  void NoteWithdraw(const ports::Transition& what);
  void NoteReleaseUnknown(const ports::Transition& what);
  void NoteResolveUnknown(const ports::Transition& what);
  void Say(const ports::Transition& what, const store::TransitionStep& step) const;
  void ForgetWrite(const std::string& key, const store::StoredRecord& before);
  void CountTaken(const ports::BeginRequest& question, const idempotency::Record& from);
  void CountMet(const ports::BeginRequest& question, const store::StoredRecord& lies);
  [[nodiscard]] store::StoredRecord Lies(const std::string& key) const;

  const Timeline& timeline_;
  Ledger& ledger_;
  Auditor& auditor_;
  Coverage& coverage_;
  const Trace& trace_;

  std::map<std::string, idempotency::Record> records_;
  std::unique_ptr<store::TokenMarks> withdrawals_ = std::make_unique<store::TokenMarks>();
  std::unique_ptr<store::TokenMarks> look_ups_ = std::make_unique<store::TokenMarks>();
  std::unique_ptr<store::LimitTable> limits_;  // made at first use, because it is large
  std::deque<Write> last_writes_;
  Duration ahead_{};
  StoreTime stands_at_{};  // its clock shows this time until the real one has passed it
};

}  // namespace idem::simulation
