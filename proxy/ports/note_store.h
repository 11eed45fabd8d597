// Small named values that are stored beside the records and never expire: settings on which the
// replicas of one store must agree. No configuration moves them (store.key_prefix does not), so
// that a process finds them whatever else was changed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/ticket.h"

namespace idem::ports {

struct NoteResult {
  bool written = false;  // Write(): this step wrote the value, or the note had it already
  std::optional<std::string> value;  // the note's value now; null: there is no such note
};

class NoteStore {
 public:
  virtual ~NoteStore() = default;

  using OnNote = Function<void(Result<NoteResult>)>;

  /// `name` consists of a to z and `_`.
  [[nodiscard]] virtual Ticket Read(std::string_view name, OnNote on_note) = 0;
  /// Compares and sets in one step that is as durable as a claim: the value is written if the note
  /// is `replaces` (null: there is no such note), or is `value` already.
  [[nodiscard]] virtual Ticket Write(std::string_view name,
                                     const std::optional<std::string>& replaces,
                                     std::string_view value, OnNote on_note) = 0;
};

}  // namespace idem::ports
