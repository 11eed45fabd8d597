// The bytes behind a content coding, for the fingerprint: a library that compresses a retry again
// writes another stream of the same bytes.
#pragma once

#include <string>
#include <string_view>

namespace idem::idempotency {

/// Appends what `body` decodes to. False where it does not, or to more than 32 times its size and
/// 64 KiB, or to more than 16 MiB: then `to` means nothing. `coding`: the value of
/// Content-Encoding; gzip, x-gzip and deflate are known, one at a time.
[[nodiscard]] bool AppendDecoded(std::string_view coding, std::string_view body, std::string& to);

}  // namespace idem::idempotency
