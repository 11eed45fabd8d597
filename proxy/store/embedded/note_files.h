// The notes of an embedded store (exchange/notes.h): one small file each.
//
//   PATH/notes/NAME       what was written
//   PATH/notes/NAME.new   one that is being written; never read
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace idem::store {

/// For one thread at a time, of the process that owns the folder. Both may wait for the disk.
class EmbeddedNotes {
 public:
  explicit EmbeddedNotes(std::string folder) : folder_(std::move(folder)) {}

  /// Null where there is none.
  [[nodiscard]] Result<std::optional<std::string>> Read(std::string_view name) const;
  /// Once it is Ok the note survives a loss of power, and before that the old one does.
  Status Write(std::string_view name, std::string_view value);

 private:
  const std::string folder_;
};

}  // namespace idem::store
