// What idemproxy_steps() answers, as postgres_steps.cc draws it, into what the interfaces answer.
// Whatever does not have that shape is kCorrupt.
#pragma once

#include "proxy/ports/note_store.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_index.h"
#include "proxy/ports/record_store.h"
#include "proxy/store/postgres/batch_queue.h"

namespace idem::store {

/// `limited`: whether the question counted; its answer then has a verdict.
[[nodiscard]] Result<exchange::BeginAnswer> ReadBeginAnswer(const PostgresAnswer& answer,
                                                            bool limited);
[[nodiscard]] Result<exchange::SettleAnswer> ReadSettleAnswer(const PostgresAnswer& answer);
[[nodiscard]] Result<exchange::LookUpAnswer> ReadLookUpAnswer(const PostgresAnswer& answer);
[[nodiscard]] Result<exchange::LimitVerdict> ReadVerdict(const PostgresAnswer& answer);

/// What one step of a list saw: all its records that `filter` wants, their keys without `prefix`.
[[nodiscard]] Result<exchange::ListAnswer> ReadListAnswer(const postgres::Rows& rows,
                                                          const exchange::RecordFilter& filter,
                                                          std::string_view prefix);
[[nodiscard]] exchange::NoteAnswer ReadNoteAnswer(const postgres::Rows& rows);

}  // namespace idem::store
