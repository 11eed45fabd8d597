#include "proxy/idempotency/fingerprint/canonical_json.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "proxy/base/utf8.h"
#include "proxy/idempotency/fingerprint/json_number.h"

namespace idem::idempotency {

namespace {

using Pointer = std::vector<std::string>;  // its reference tokens, unescaped

// The pointers whose first tokens are the path to the present value, and the number of these
// tokens.
struct IgnoredPointers {
  std::vector<const Pointer*> pointers;
  std::size_t depth = 0;
  bool whole = false;  // a pointer ends here, so the value is left out

  [[nodiscard]] IgnoredPointers Below(std::string_view token) const {
    IgnoredPointers below;
    below.depth = depth + 1;
    for (const Pointer* pointer : pointers) {
      if (pointer->size() == depth || (*pointer)[depth] != token) continue;
      below.pointers.push_back(pointer);
      below.whole |= pointer->size() == below.depth;
    }
    return below;
  }
};

Pointer ReadPointer(std::string_view text) {
  Pointer tokens;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '/') {
      tokens.emplace_back();
    } else if (text[at] == '~') {
      tokens.back().push_back(text[++at] == '0' ? '~' : '/');
    } else {
      tokens.back().push_back(text[at]);
    }
  }
  return tokens;
}

// Compares UTF-8 by UTF-16 code units (RFC 8785, section 3.2.3). This is the order of the bytes,
// except that U+10000 and above (surrogates in UTF-16) come before U+E000 to U+FFFF.
bool ComesBefore(std::string_view a, std::string_view b) {
  const auto rank = [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : byte;
  };
  return std::ranges::lexicographical_compare(a, b, std::less(), rank, rank);
}

void AppendUtf8(std::uint32_t point, std::string& to) {
  const auto push = [&](std::uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  const auto follow = [&](int shift) { push(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) {
    push(point);
  } else if (point < 0x800) {
    push(0xC0 | (point >> 6)), follow(0);
  } else if (point < 0x10000) {
    push(0xE0 | (point >> 12)), follow(6), follow(0);
  } else {
    push(0xF0 | (point >> 18)), follow(12), follow(6), follow(0);
  }
}

// Escapes as RFC 8785, section 3.2.2.2, requires.
void AppendCanonicalString(std::string_view text, std::string& to) {
  constexpr std::string_view kEscaped = "\"\\\b\t\n\f\r";
  constexpr std::string_view kLetters = "\"\\btnfr";
  constexpr std::string_view kDigits = "0123456789abcdef";
  to.push_back('"');
  for (const char c : text) {
    if (const std::size_t letter = kEscaped.find(c); letter != std::string_view::npos) {
      to.push_back('\\');
      to.push_back(kLetters[letter]);
    } else if (static_cast<std::uint8_t>(c) < 0x20) {
      to.append("\\u00");
      to.push_back(kDigits[static_cast<std::uint8_t>(c) >> 4]);
      to.push_back(kDigits[static_cast<std::uint8_t>(c) & 15]);
    } else {
      to.push_back(c);
    }
  }
  to.push_back('"');
}

// Reads a text from start to end and writes each value as soon as it is read. The members of an
// object are written in the order of the text, and sorted at its end if necessary.
class Canonicalizer {
 public:
  /// `left_out` receives a value that is left out; null discards it.
  Canonicalizer(std::string_view text, std::string& to,
                std::optional<std::string>* left_out = nullptr)
      : rest_(text), to_(to), left_out_(left_out) {}

  bool Run(const IgnoredPointers& ignored) {
    if (!Value(ignored)) return false;
    SkipBlanks();
    return rest_.empty();
  }

 private:
  struct Member {
    std::string name;
    std::size_t begin, end;  // the member's text in to_, name included; empty if it is left out
  };

  void SkipBlanks() {
    const std::size_t first = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }

  bool Take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  // Skips blanks and takes `expected`.
  bool TakeNext(char expected) {
    SkipBlanks();
    return Take({&expected, 1});
  }

  bool Value(const IgnoredPointers& ignored) {
    SkipBlanks();
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '{':
        return Nested(ignored, &Canonicalizer::Object);
      case '[':
        return Nested(ignored, &Canonicalizer::Array);
      case '"':
        return String();
      case 't':
        return Literal("true");
      case 'f':
        return Literal("false");
      case 'n':
        return Literal("null");
      default:
        return Number();
    }
  }

  bool Nested(const IgnoredPointers& ignored, bool (Canonicalizer::*read)(const IgnoredPointers&)) {
    if (++depth_ > kJsonDepthMax) return false;
    rest_.remove_prefix(1);
    const bool well = (this->*read)(ignored);
    --depth_;
    return well;
  }

  bool Object(const IgnoredPointers& ignored) {
    std::vector<Member> members;
    to_.push_back('{');
    const std::size_t begin = to_.size();
    if (!TakeNext('}')) {
      do {
        if (!ReadMember(ignored, members)) return false;
      } while (TakeNext(','));
      if (!Take("}")) return false;
    }
    if (!Arrange(members, begin)) return false;
    to_.push_back('}');
    return true;
  }

  bool ReadMember(const IgnoredPointers& ignored, std::vector<Member>& members) {
    Member member{{}, to_.size(), 0};
    SkipBlanks();
    if (!ReadString(member.name) || !TakeNext(':')) return false;
    AppendCanonicalString(member.name, to_);
    to_.push_back(':');
    const IgnoredPointers below = ignored.Below(member.name);
    const std::size_t value_begin = to_.size();
    if (!Value(below)) return false;
    if (below.whole) LeaveOut(value_begin, member.begin);
    member.end = to_.size();
    members.push_back(std::move(member));
    return true;
  }

  // Sorts the members that were written from `begin` on by name and adds the commas. Returns false
  // if a name is repeated.
  bool Arrange(std::vector<Member>& members, std::size_t begin) {
    std::ranges::sort(members, ComesBefore, &Member::name);
    const auto twice = std::ranges::adjacent_find(members, std::equal_to(), &Member::name);
    if (twice != members.end()) return false;

    const std::string written = to_.substr(begin);
    to_.resize(begin);
    for (const Member& member : members) {
      if (member.begin == member.end) continue;
      if (to_.size() > begin) to_.push_back(',');
      to_.append(written, member.begin - begin, member.end - member.begin);
    }
    return true;
  }

  bool Array(const IgnoredPointers& ignored) {
    to_.push_back('[');
    const std::size_t begin = to_.size();
    if (!TakeNext(']')) {
      std::size_t index = 0;
      do {
        if (!ReadElement(ignored, index++, begin)) return false;
      } while (TakeNext(','));
      if (!Take("]")) return false;
    }
    to_.push_back(']');
    return true;
  }

  bool ReadElement(const IgnoredPointers& ignored, std::size_t index, std::size_t array_begin) {
    const std::size_t begin = to_.size();
    if (begin > array_begin) to_.push_back(',');
    const IgnoredPointers below =
        ignored.pointers.empty() ? IgnoredPointers() : ignored.Below(std::to_string(index));
    const std::size_t value_begin = to_.size();
    if (!Value(below)) return false;
    if (below.whole) LeaveOut(value_begin, begin);
    return true;
  }

  void LeaveOut(std::size_t value_begin, std::size_t begin) {
    if (left_out_ != nullptr) *left_out_ = to_.substr(value_begin);
    to_.resize(begin);
  }

  bool Literal(std::string_view word) {
    if (!Take(word)) return false;
    to_.append(word);
    return true;
  }

  bool Number() {
    const std::string_view number = ScanJsonNumber(rest_);
    if (number.empty() || !AppendCanonicalNumber(number, to_)) return false;
    rest_.remove_prefix(number.size());
    return true;
  }

  bool String() {
    std::string text;
    if (!ReadString(text)) return false;
    AppendCanonicalString(text, to_);
    return true;
  }

  bool ReadString(std::string& text) {
    if (!Take("\"")) return false;
    while (!rest_.empty()) {
      if (Take("\"")) return true;
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      if (byte < 0x20) return false;
      if (byte == '\\') {
        if (!ReadEscape(text)) return false;
        continue;
      }
      const std::size_t length = Utf8SequenceLength(rest_);
      if (length == 0) return false;
      text.append(rest_.substr(0, length));
      rest_.remove_prefix(length);
    }
    return false;
  }

  bool ReadEscape(std::string& text) {
    constexpr std::string_view kLetters = "\"\\/btnfr";
    constexpr std::string_view kMeanings = "\"\\/\b\t\n\f\r";
    if (Take("\\u")) return ReadCodePoint(text);
    const std::size_t letter = rest_.size() < 2 ? std::string_view::npos : kLetters.find(rest_[1]);
    if (letter == std::string_view::npos) return false;
    text.push_back(kMeanings[letter]);
    rest_.remove_prefix(2);
    return true;
  }

  bool ReadCodePoint(std::string& text) {
    std::uint32_t point = 0;
    if (!ReadUnit(point) || (point >= 0xDC00 && point <= 0xDFFF)) return false;
    if (point >= 0xD800 && point <= 0xDBFF) {
      std::uint32_t low = 0;
      if (!Take("\\u") || !ReadUnit(low) || low < 0xDC00 || low > 0xDFFF) return false;
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    AppendUtf8(point, text);
    return true;
  }

  bool ReadUnit(std::uint32_t& unit) {
    constexpr std::size_t kDigits = 4;
    const std::string_view digits = rest_.substr(0, kDigits);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    if (!whole || digits.size() != kDigits) return false;
    rest_.remove_prefix(kDigits);
    return true;
  }

  std::string_view rest_;
  std::string& to_;
  std::optional<std::string>* const left_out_;
  int depth_ = 0;
};

}  // namespace

bool IsJsonPointer(std::string_view text) {
  if (!text.starts_with('/')) return false;
  for (std::size_t tilde = text.find('~'); tilde != std::string_view::npos;
       tilde = text.find('~', tilde + 1)) {
    if (tilde + 1 == text.size() || (text[tilde + 1] != '0' && text[tilde + 1] != '1')) {
      return false;
    }
  }
  return true;
}

bool AppendCanonicalJson(std::string_view text, std::span<const std::string> ignore,
                         std::string& to) {
  std::vector<Pointer> pointers;
  for (const std::string& pointer : ignore) pointers.push_back(ReadPointer(pointer));
  IgnoredPointers ignored;
  for (const Pointer& pointer : pointers) ignored.pointers.push_back(&pointer);

  const std::size_t begin = to.size();
  if (Canonicalizer(text, to).Run(ignored)) return true;
  to.resize(begin);
  return false;
}

std::optional<std::string> FindInJson(std::string_view text, const std::string& pointer) {
  const Pointer tokens = ReadPointer(pointer);
  IgnoredPointers wanted;
  wanted.pointers.push_back(&tokens);
  std::string rest;
  std::optional<std::string> found;
  return Canonicalizer(text, rest, &found).Run(wanted) ? found : std::nullopt;
}

}  // namespace idem::idempotency
