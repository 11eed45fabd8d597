// The notes of an embedded store (ports/note_store.h): one small file each.
//
//   PATH/notes/NAME       the value
//   PATH/notes/NAME.new   a value that is being written; never read
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace idem::store {

/// For one thread at a time, of the process that owns the folder. Both methods may wait for the
/// disk.
class EmbeddedNotes {
 public:
  explicit EmbeddedNotes(std::string folder) : folder_(std::move(folder)) {}

  /// Returns null if there is no such note.
  [[nodiscard]] Result<std::optional<std::string>> Read(std::string_view name) const;
  /// The new value survives a power loss once this returns Ok; until then the old value does.
  Status Write(std::string_view name, std::string_view value);

 private:
  const std::string folder_;
};

}  // namespace idem::store
