// INVARIANT states a condition that only a bug in this program can make false. It stays on in
// release builds. Stopping is safe, because a claim outlives the process and becomes unknown; a
// wrong answer about money is not safe.
#pragma once

namespace idem {

/// Prints the condition and its source position to standard error and aborts.
[[noreturn]] void FailInvariant(const char* condition, const char* file, int line) noexcept;

}  // namespace idem

#define INVARIANT(condition) \
  (static_cast<bool>(condition) ? void(0) : ::idem::FailInvariant(#condition, __FILE__, __LINE__))
