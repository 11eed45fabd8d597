// The claims that execute in this process, in memory: their end need not be read from the disk.
// During a batch it also holds the records that the batch has written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/store/local/expiring_map.h"
#include "proxy/store/record_steps.h"

namespace idem::store {

/// Belongs to the writer's thread.
class CachedClaims {
 public:
  struct Entry {
    StoredRecord record;  // null: the batch has erased it
    bool is_of_batch = false;
  };

  /// Returns null if the record of this key has to be read from the disk.
  [[nodiscard]] const Entry* Find(std::string_view key) { return entries_.Find(key); }
  /// Notes a write of the batch; a null record is an erased one.
  void Write(const std::string& key, StoredRecord record);
  /// Keeps the claims that a committed batch has written, until their leases end. A failed batch
  /// leaves nothing.
  void CloseBatch(bool is_committed);
  /// Drops the claims whose leases have ended, and more of them while there are too many.
  void Trim(StoreTime now);

 private:
  ExpiringTextMap<Entry> entries_;
  std::vector<std::string> written_;  // the keys of this batch
};

}  // namespace idem::store
