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
[[nodiscard]] Result<exchange::BeginAnswer> ReadBeginAnswer(RedisValue reply, bool limited);
[[nodiscard]] Result<exchange::SettleAnswer> ReadSettleAnswer(RedisValue reply);
[[nodiscard]] Result<exchange::LookUpAnswer> ReadLookUpAnswer(RedisValue reply);
[[nodiscard]] Result<exchange::NoteAnswer> ReadNoteAnswer(RedisValue reply);
[[nodiscard]] Result<exchange::LimitVerdict> ReadVerdict(RedisValue reply);

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
