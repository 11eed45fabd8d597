// The store that all simulated proxies share: the product's own transitions on a map, a clock of
// its own, and what goes wrong inside of a store. How questions travel to it is in store_link.h.
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

  // The steps of exchange::RecordStore, each at once and whole.
  exchange::BeginAnswer Begin(const exchange::BeginQuestion& question);
  exchange::SettleAnswer Complete(const std::string& key, const idempotency::Claim& claim,
                                  const idempotency::StoredResponse& response,
                                  idempotency::Milliseconds ttl);
  exchange::SettleAnswer MarkUnknown(const std::string& key, const idempotency::Claim& claim);
  exchange::SettleAnswer Release(const std::string& key, const idempotency::Token& token);
  exchange::SettleAnswer Withdraw(const std::string& key, const idempotency::Token& token,
                                  idempotency::Milliseconds lease);
  exchange::LookUpAnswer ClaimLookUp(const std::string& key, const idempotency::Token& token,
                                     idempotency::Milliseconds pause);
  exchange::SettleAnswer ReleaseUnknown(const std::string& key, const idempotency::Token& token);
  exchange::SettleAnswer ResolveUnknown(const std::string& key, const idempotency::Token& token,
                                        const idempotency::StoredResponse& response,
                                        idempotency::Milliseconds ttl);
  exchange::SettleAnswer Look(const std::string& key);
  exchange::LimitVerdict Count(const exchange::LimitQuestion& question);

  /// What lies under a key now.
  [[nodiscard]] store::Present Find(const std::string& key) const;
  [[nodiscard]] StoreTime Now() const;
  /// Everything that lies in it, expired or not.
  [[nodiscard]] const std::map<std::string, idempotency::Record>& records() const {
    return records_;
  }

  bool away = false;
  /// The step that is carried out was asked before, and its asker may have gone on since.
  bool takes_a_copy = false;
  /// Its clock is set ahead.
  void Jump(Duration by) { ahead_ += by; }
  /// Its clock was set back: it stands still until it is where it was.
  void Stand(Duration by);
  /// The last `writes` writes, and every mark of a withdrawal or of a look-up, are forgotten.
  void FailOver(std::size_t writes);

 private:
  struct Write {
    std::string key;
    store::Present before;
  };
  template <class Answer>
  Answer Apply(const std::string& key, store::Step<Answer> step);
  void ForgetWrite(const std::string& key, const store::Present& before);
  void CountTaken(const exchange::BeginQuestion& question, const idempotency::Record& from);
  void CountMet(const exchange::BeginQuestion& question, const store::Present& lies);
  [[nodiscard]] store::Present Lies(const std::string& key) const;

  const Timeline& timeline_;
  Ledger& ledger_;
  Auditor& auditor_;
  Coverage& coverage_;
  const Trace& trace_;

  std::map<std::string, idempotency::Record> records_;
  std::unique_ptr<store::TokenMarks> withdrawals_ = std::make_unique<store::TokenMarks>();
  std::unique_ptr<store::TokenMarks> look_ups_ = std::make_unique<store::TokenMarks>();
  std::unique_ptr<store::LimitTable> limits_;  // made when first asked: it is large
  std::deque<Write> last_writes_;
  Duration ahead_{};
  StoreTime stands_at_{};  // its clock shows this until it is past it
};

}  // namespace idem::simulation
