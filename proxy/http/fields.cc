#include "proxy/http/fields.h"

#include <algorithm>

#include "proxy/base/invariant.h"

namespace idem::http {

namespace {

constexpr char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool fields_internal::SameLetters(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ToLower(a[i]) != ToLower(b[i])) return false;
  }
  return true;
}

bool ReadsAs(std::string_view name, std::string_view other) {
  const auto fold = [](char c) { return c == '_' ? '-' : ToLower(c); };
  return std::ranges::equal(name, other, [&](char a, char b) { return fold(a) == fold(b); });
}

void Fields::Add(std::string_view name, std::string_view value) {
  const std::size_t begin = text_.size();
  const std::size_t needed = begin + name.size() + value.size();
  INVARIANT(needed <= UINT32_MAX);
  const auto append = [&](std::string& to) { to.append(name).append(value); };
  if (needed <= text_.capacity()) {
    append(text_);
  } else {  // name and value may be views of the old text, so it is freed last
    std::string grown;
    grown.reserve(std::max(needed, 2 * text_.capacity()));
    grown.append(text_);
    append(grown);
    text_.swap(grown);
  }
  const auto narrow = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
  lines_.push_back(
      {narrow(begin), narrow(name.size()), narrow(begin + name.size()), narrow(value.size())});
}

void Fields::Remove(std::string_view name) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (!EqualsIgnoreCase((*this)[i].name, name)) lines_[kept++] = lines_[i];
  }
  lines_.resize(kept);
}

void Fields::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void Fields::Clear() {
  text_.clear();
  lines_.clear();
}

void Fields::Reserve(std::size_t text_bytes, std::size_t lines) {
  text_.reserve(text_bytes);
  lines_.reserve(lines);
}

std::optional<std::string_view> Fields::Find(std::string_view name) const {
  for (const FieldLine line : *this) {
    if (EqualsIgnoreCase(line.name, name)) return line.value;
  }
  return std::nullopt;
}

std::size_t Fields::Count(std::string_view name) const {
  std::size_t count = 0;
  for (const FieldLine line : *this) count += EqualsIgnoreCase(line.name, name) ? 1 : 0;
  return count;
}

bool Fields::HasToken(std::string_view name, std::string_view token) const {
  bool found = false;
  for (const FieldLine line : *this) {
    if (!EqualsIgnoreCase(line.name, name)) continue;
    ForEachToken(line.value,
                 [&](std::string_view member) { found |= EqualsIgnoreCase(member, token); });
  }
  return found;
}

}  // namespace idem::http
