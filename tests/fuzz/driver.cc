// Connects libFuzzer with a target: its entry points, and the count of accepted inputs.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/fuzz/fuzz_target.h"

namespace {

struct Tally {
  std::uint64_t tried = 0;
  std::uint64_t accepted = 0;
};
Tally tally;

// scripts/fuzz reads this line. It is not printed if an oracle ended the program.
void Report() {
  std::fprintf(stderr, "accepted: %llu of %llu\n", static_cast<unsigned long long>(tally.accepted),
               static_cast<unsigned long long>(tally.tried));
}

std::string Printable(std::string_view text) {
  std::string printable;
  for (const char c : text) {
    char escaped[8];
    const bool plain = c >= ' ' && c <= '~' && c != '\\';
    std::snprintf(escaped, sizeof escaped, plain ? "%c" : "\\x%02x", static_cast<unsigned char>(c));
    printable += escaped;
  }
  return printable;
}

}  // namespace

namespace idem::fuzz {

void Accuse(const char* promise, std::string_view one, std::string_view other) {
  std::fprintf(stderr, "oracle: not so: %s\n", promise);
  if (!one.empty() || !other.empty()) {
    std::fprintf(stderr, "  one:   %s\n  other: %s\n", Printable(one).c_str(),
                 Printable(other).c_str());
  }
  std::abort();
}

}  // namespace idem::fuzz

// The names are libFuzzer's.
extern "C" {

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) { return std::atexit(Report); }

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ++tally.tried;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (idem::fuzz::Try(input)) ++tally.accepted;
  return 0;
}

// Most mutations of a good input are bad, and theirs are worse. So now and then a new good input
// replaces them, unchanged or mutated once.
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max,
                                    unsigned seed) {
  constexpr std::size_t kMutationsToNew = 2;
  idem::fuzz::Dice dice(seed);
  if (dice.Below(kMutationsToNew) != 0) return LLVMFuzzerMutate(data, size, size_max);
  const std::string made = idem::fuzz::Make(dice);
  if (made.empty() || made.size() > size_max) return LLVMFuzzerMutate(data, size, size_max);
  std::memcpy(data, made.data(), made.size());
  return dice.OneIn(2) ? made.size() : LLVMFuzzerMutate(data, made.size(), size_max);
}

}  // extern "C"
