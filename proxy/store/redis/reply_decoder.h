// Decodes the replies of the scripts (scripts.h) into the results of the interfaces in
// proxy/ports/. A reply of another shape is kCorrupt.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/ports/note_store.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_store.h"
#include "proxy/store/redis/resp.h"

namespace idem::store {

/// `limited`: the request was counted, so the reply must have a verdict.
[[nodiscard]] Result<ports::BeginResult> ReadBeginAnswer(RedisValue reply, bool limited);
[[nodiscard]] Result<ports::TransitionResult> ReadSettleAnswer(RedisValue reply);
[[nodiscard]] Result<ports::LookUpReservation> ReadLookUpAnswer(RedisValue reply);
[[nodiscard]] Result<ports::NoteResult> ReadNoteAnswer(RedisValue reply);
[[nodiscard]] Result<ports::LimitResult> ReadVerdict(RedisValue reply);

/// One page of a walk over the records.
struct RedisPage {
  struct Entry {
    std::string record_key;                     // without `prefix`
    std::optional<idempotency::Record> record;  // null if it is completed: `list` leaves it out
  };
  std::string cursor;  // "" on the last page
  StoreTime now{};
  std::vector<Entry> entries;
};
[[nodiscard]] Result<RedisPage> ReadPage(RedisValue reply, std::string_view prefix);

}  // namespace idem::store
