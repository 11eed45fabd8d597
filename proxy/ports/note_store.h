// Small named values that lie beside the records and never expire: what the replicas of one store
// must agree on. They lie at a place that no configuration moves (store.key_prefix does not), so
// that a process finds them whatever else was changed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/ticket.h"

namespace idem::ports {

struct NoteResult {
  bool written = false;              // WriteNote: by this step, or the value lay there already
  std::optional<std::string> value;  // what lies there now; null: nothing
};

class NoteStore {
 public:
  virtual ~NoteStore() = default;

  using OnNote = Function<void(Result<NoteResult>)>;

  /// `name` is made of a to z and `_`.
  [[nodiscard]] virtual Ticket ReadNote(std::string_view name, OnNote on_answer) = 0;
  /// Compare and set, as one step, as durable as a claim: written where what lies there is
  /// `replaces` (null: nothing lies there), or is `value` already.
  [[nodiscard]] virtual Ticket WriteNote(std::string_view name,
                                         const std::optional<std::string>& replaces,
                                         std::string_view value, OnNote on_answer) = 0;
};

}  // namespace idem::ports
