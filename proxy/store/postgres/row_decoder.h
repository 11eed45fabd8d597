// Decodes the rows of the statements (statements.h) into the results of the interfaces in
// proxy/ports/. A row of another shape is kCorrupt.
#pragma once

#include "proxy/ports/note_store.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_index.h"
#include "proxy/ports/record_store.h"
#include "proxy/store/postgres/batch_queue.h"

namespace idem::store {

/// `limited`: the request was counted, so the row must have a verdict.
[[nodiscard]] Result<ports::BeginResult> ReadBeginAnswer(const PostgresStepRow& answer,
                                                         bool limited);
[[nodiscard]] Result<ports::TransitionResult> ReadSettleAnswer(const PostgresStepRow& answer);
[[nodiscard]] Result<ports::LookUpReservation> ReadLookUpAnswer(const PostgresStepRow& answer);
[[nodiscard]] Result<ports::LimitResult> ReadVerdict(const PostgresStepRow& answer);

/// Returns the records of one step of a list that fit `filter`, their keys without `prefix`.
[[nodiscard]] Result<ports::RecordPage> ReadListAnswer(const libpq::Rows& rows,
                                                       const ports::RecordFilter& filter,
                                                       std::string_view prefix);
[[nodiscard]] ports::NoteResult ReadNoteAnswer(const libpq::Rows& rows);

}  // namespace idem::store
