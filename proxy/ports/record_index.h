// Finds records without their keys, for operators: by age, client, route and state, or by the hash
// that the log shows. A search is slow by design, but each of its steps is short.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/base/ticket.h"
#include "proxy/idempotency/record.h"

namespace idem::ports {

/// With `key_hash` it fits the record of that hash in any state, and the other members are ignored.
/// Otherwise it fits the records that are not completed, are not only observed (`mode: observe`),
/// and match every member that is set.
struct RecordFilter {
  std::string key_hash{};                           // idempotency::KeyHash(); "": not set
  std::optional<idempotency::RecordState> state{};  // kUnknown (also executing with its lease
                                                    // ended) or kExecuting; null: both
  idempotency::Milliseconds age_min{};              // since the claim began
  std::string route{};                              // "": any
  std::string client{};                             // "": any

  /// Requires that `record` has not expired.
  [[nodiscard]] bool Fits(std::string_view record_key, const idempotency::Record& record,
                          StoreTime now) const;
};

struct FoundRecord {
  std::string record_key;
  idempotency::Record record;
};

struct RecordPage {
  std::vector<FoundRecord> found;  // in no order; a record that is written meanwhile may come twice
  std::string cursor;  // for the next step, in letters and digits; "": this was the last one
  StoreTime now{};
};

class RecordIndex {
 public:
  virtual ~RecordIndex() = default;

  using OnListed = Function<void(Result<RecordPage>)>;

  /// Makes one step of a walk over all records. A step reads some hundreds of records; it may find
  /// none and still return a cursor. `cursor` is "" for the first step. A walk finds every record
  /// that stays in the store meanwhile, except one that cannot be read, which is logged. Returns
  /// kInvalid for a cursor that no page had.
  [[nodiscard]] virtual Ticket List(const RecordFilter& filter, std::string_view cursor,
                                    OnListed on_listed) = 0;
};

/// The error for a cursor that no page had.
[[nodiscard]] Error NoSuchCursor();

}  // namespace idem::ports
