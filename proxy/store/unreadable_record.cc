#include "proxy/store/unreadable_record.h"

#include "proxy/base/log.h"
#include "proxy/idempotency/key.h"

namespace idem::store {

void TellUnreadable(std::string_view record_key, const Error& error) {
  log::WriteLimited(log::Level::kError, "record_unreadable",
                    {{"key_hash", idempotency::KeyHash(record_key)}, {"reason", error.detail}});
}

}  // namespace idem::store
