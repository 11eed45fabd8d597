#include "proxy/idempotency/fingerprint/part_digests.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "proxy/base/hex.h"
#include "proxy/idempotency/fingerprint/fingerprint.h"

namespace idem::idempotency {

namespace {

constexpr std::size_t kDigits = 8;
constexpr std::string_view kParts[] = {"method", "path", "query", "body"};

std::uint64_t ReadWord(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    word |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
  }
  return word;
}

// Fast and the same on every machine. It need not resist anybody: who forges a collision only
// spoils the explanation of a mismatch of his own.
class Mixer {
 public:
  void Add(std::string_view bytes) {
    Mix(bytes.size());
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) Mix(ReadWord(bytes.substr(0, 8)));
    if (!bytes.empty()) Mix(ReadWord(bytes));
  }
  void AppendTo(std::string& to) const {
    const std::uint64_t end = (state_ ^ (state_ >> 29)) * 0xbf58476d1ce4e5b9ULL;
    std::uint8_t digest[kDigits / 2];
    for (std::size_t i = 0; i < sizeof digest; ++i) {
      digest[i] = static_cast<std::uint8_t>(end >> (56 - 8 * i));
    }
    AppendHex(digest, to);
  }

 private:
  void Mix(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x9e3779b97f4a7c15ULL;
    state_ ^= state_ >> 32;
  }
  std::uint64_t state_ = 0x243f6a8885a308d3ULL;
};

template <class... Texts>
void AppendDigest(std::string& to, const Texts&... texts) {
  Mixer mixer;
  (mixer.Add(texts), ...);
  mixer.AppendTo(to);
}

void AppendFieldDigest(const http::Fields& fields, std::string_view name, std::string& to) {
  Mixer mixer;
  for (const http::FieldLine line : fields) {
    if (http::EqualsIgnoreCase(line.name, name)) mixer.Add(line.value);
  }
  mixer.AppendTo(to);
}

}  // namespace

std::string PartDigests(const Recipe& recipe, const FingerprintInput& input, std::string_view mode,
                        std::string_view body) {
  std::string digests;
  digests.reserve(kDigits * (std::size(kParts) + recipe.headers.size()));
  const std::size_t path_end = std::min(input.target.find('?'), input.target.size());
  AppendDigest(digests, input.method);
  AppendDigest(digests, input.target.substr(0, path_end));
  AppendDigest(digests, input.target.substr(path_end));
  AppendDigest(digests, mode, body);
  for (const std::string& name : recipe.headers) AppendFieldDigest(*input.fields, name, digests);
  return digests;
}

bool ArePartDigests(std::string_view digests) {
  return !digests.empty() && digests.size() % kDigits == 0 &&
         digests.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string DifferingParts(const Recipe& recipe, std::string_view mine, std::string_view theirs) {
  std::string names;
  const std::size_t parts = std::size(kParts) + recipe.headers.size();
  if (mine.size() != parts * kDigits || theirs.size() != mine.size()) return names;
  for (std::size_t i = 0; i < parts; ++i) {
    if (mine.substr(i * kDigits, kDigits) == theirs.substr(i * kDigits, kDigits)) continue;
    if (!names.empty()) names.push_back(',');
    names.append(i < std::size(kParts) ? kParts[i] : recipe.headers[i - std::size(kParts)]);
  }
  return names;
}

}  // namespace idem::idempotency
