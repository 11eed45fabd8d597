// Finding records without their keys, for operators: by age, client, route and state, or by the
// hash that the log shows. Slow by design, in steps that are each short.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/base/ticket.h"
#include "proxy/idempotency/record.h"

namespace idem::ports {

/// Which records are wanted: by `key_hash` alone and in any state, where that is given; else those
/// that are not completed, are not only observed (`mode: observe`), and fit everything that is
/// given.
struct RecordFilter {
  std::string key_hash{};                           // idempotency::KeyHash(); "": not given
  std::optional<idempotency::RecordState> state{};  // kUnknown (also executing with its lease
                                                    // ended) or kExecuting; null: both
  idempotency::Milliseconds age_min{};              // since it began
  std::string route{};                              // "": any
  std::string client{};                             // "": any

  /// `record` has not expired.
  [[nodiscard]] bool Fits(std::string_view record_key, const idempotency::Record& record,
                          StoreTime now) const;
};

struct FoundRecord {
  std::string record_key;
  idempotency::Record record;
};

struct RecordPage {
  std::vector<FoundRecord> found;  // in no order; one that is written meanwhile may come twice
  std::string cursor;  // for the next step, in letters and digits; "": that was the last one
  StoreTime now{};
};

class RecordIndex {
 public:
  virtual ~RecordIndex() = default;

  using OnListed = Function<void(Result<RecordPage>)>;

  /// One step of a walk over all records: it looks at some hundreds, and may find none and still
  /// have a cursor. `cursor` is "" for the first step. What lies in the store during the whole walk
  /// is found, but for a record that cannot be read: the log tells of it. kInvalid for a cursor
  /// that no answer gave.
  [[nodiscard]] virtual Ticket List(const RecordFilter& filter, std::string_view cursor,
                                    OnListed on_answer) = 0;
};

/// For a List() with a cursor that no answer gave.
[[nodiscard]] Error NoSuchCursor();

}  // namespace idem::ports
