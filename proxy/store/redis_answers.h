// What the scripts answer, as redis_scripts.cc draws it, into what the interfaces answer. Whatever
// does not have that shape is kCorrupt.
#pragma once

#include "proxy/exchange/rate_limiter.h"
#include "proxy/exchange/record_store.h"
#include "proxy/store/redis_reply.h"

namespace idem::store {

/// `limited`: whether the question counted; its answer then has a verdict.
[[nodiscard]] Result<exchange::BeginAnswer> ReadBeginAnswer(RedisValue reply, bool limited);
[[nodiscard]] Result<exchange::SettleAnswer> ReadSettleAnswer(RedisValue reply);
[[nodiscard]] Result<exchange::LookUpAnswer> ReadLookUpAnswer(RedisValue reply);
[[nodiscard]] Result<exchange::LimitVerdict> ReadVerdict(RedisValue reply);

}  // namespace idem::store
