// Random choices from a seed, with which inputs are made.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace idem::fuzz {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed + 1) {}

  /// Returns 0 to `end` - 1.
  std::size_t Below(std::size_t end) { return engine_() % end; }
  bool OneIn(std::size_t chances) { return Below(chances) == 0; }

  std::string_view Pick(std::span<const std::string_view> choices) {
    return choices[Below(choices.size())];
  }
  std::string Pick(std::initializer_list<std::string_view> choices) {
    return std::string(choices.begin()[Below(choices.size())]);
  }
  /// Returns up to `most` characters of `alphabet`.
  std::string Text(std::string_view alphabet, std::size_t most) {
    std::string text(Below(most + 1), ' ');
    for (char& c : text) c = alphabet[Below(alphabet.size())];
    return text;
  }
  /// Returns up to `most` bytes of any value.
  std::string Bytes(std::size_t most) {
    std::string bytes(Below(most + 1), '\0');
    for (char& byte : bytes) byte = static_cast<char>(Below(256));
    return bytes;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace idem::fuzz
