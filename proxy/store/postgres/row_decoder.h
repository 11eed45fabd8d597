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
[[nodiscard]] Result<ports::BeginResult> ReadBeginAnswer(const PostgresStepRow& answer,
                                                         bool limited);
[[nodiscard]] Result<ports::TransitionResult> ReadSettleAnswer(const PostgresStepRow& answer);
[[nodiscard]] Result<ports::LookUpReservation> ReadLookUpAnswer(const PostgresStepRow& answer);
[[nodiscard]] Result<ports::LimitResult> ReadVerdict(const PostgresStepRow& answer);

/// What one step of a list saw: all its records that `filter` wants, their keys without `prefix`.
[[nodiscard]] Result<ports::RecordPage> ReadListAnswer(const libpq::Rows& rows,
                                                       const ports::RecordFilter& filter,
                                                       std::string_view prefix);
[[nodiscard]] ports::NoteResult ReadNoteAnswer(const libpq::Rows& rows);

}  // namespace idem::store
