// What the scripts answer, as redis_scripts.cc draws it, into what the interfaces answer. Whatever
// does not have that shape is kCorrupt.
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

/// `limited`: whether the question counted; its answer then has a verdict.
[[nodiscard]] Result<ports::BeginResult> ReadBeginAnswer(RedisValue reply, bool limited);
[[nodiscard]] Result<ports::TransitionResult> ReadSettleAnswer(RedisValue reply);
[[nodiscard]] Result<ports::LookUpReservation> ReadLookUpAnswer(RedisValue reply);
[[nodiscard]] Result<ports::NoteResult> ReadNoteAnswer(RedisValue reply);
[[nodiscard]] Result<ports::LimitResult> ReadVerdict(RedisValue reply);

/// One page of a walk.
struct RedisPage {
  struct Entry {
    std::string record_key;                     // below `prefix`
    std::optional<idempotency::Record> record;  // null: it is completed, and was not read
  };
  std::string cursor;  // "": the last page
  StoreTime now{};
  std::vector<Entry> entries;
};
[[nodiscard]] Result<RedisPage> ReadPage(RedisValue reply, std::string_view prefix);

}  // namespace idem::store
