// Finds a gap in the write-ahead log of RocksDB, before RocksDB replays it at a start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "proxy/base/result.h"

namespace idem::store {

/// A gap: some writes are unreadable, although later ones can be read.
struct EmbeddedLogGap {
  std::string file;           // with the first write behind the gap
  std::uint64_t behind = 0;   // the number of that write
  std::uint64_t missing = 0;  // the number of unreadable writes before it
};

/// Reads all logs of a closed database. RocksDB replays a log up to its first damage and ignores
/// the rest without an error. After an honest power loss no synced commit is behind the damage,
/// because a commit begins only after the previous one is synced. Whole commits behind the damage
/// mean that acknowledged commits are lost, and that RocksDB would drop the others without a
/// message.
///
/// Returns an error if a log is unreadable.
Result<std::optional<EmbeddedLogGap>> FindLogGap(const std::string& folder);

}  // namespace idem::store
