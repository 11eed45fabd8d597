#include "proxy/base/random.h"

#include "proxy/base/digest.h"

namespace idem {

// OpenSSL's generator is seeded from the system once and then makes no system call.
void SystemRandom::Fill(std::span<std::uint8_t> bytes) { FillRandom(bytes.data(), bytes.size()); }

}  // namespace idem
