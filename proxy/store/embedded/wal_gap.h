// The log that RocksDB replays at a start (its write-ahead log), read before it does: whether
// something is missing in the middle of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "proxy/base/result.h"

namespace idem::store {

/// Writes that cannot be read any more, although later ones can.
struct EmbeddedLogGap {
  std::string file;           // in which the first write behind the gap lies
  std::uint64_t behind = 0;   // the number of that write
  std::uint64_t missing = 0;  // how many lie between it and the last that can be read before it
};

/// Looks through all logs of a closed database. RocksDB replays a log up to its first damage and
/// says nothing of what lies behind it. Behind an honest power loss lies nothing that was synced,
/// because no commit begins before the last one is synced. Where whole commits lie there, some that
/// were acknowledged are gone, and the others would be forgotten in silence.
///
/// An error where a log cannot be read at all.
Result<std::optional<EmbeddedLogGap>> FindLogGap(const std::string& folder);

}  // namespace idem::store
