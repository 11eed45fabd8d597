#include "proxy/base/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace idem {

void FailInvariant(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "invariant violated at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace idem
