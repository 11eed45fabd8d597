#include "proxy/admin/query_string.h"

#include <algorithm>
#include <cstdint>

#include "proxy/base/hex.h"

namespace idem::admin {

namespace {

std::optional<std::string> Decode(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    if (text.front() != '%') {
      decoded.push_back(text.front() == '+' ? ' ' : text.front());
      text.remove_prefix(1);
      continue;
    }
    std::uint8_t byte[1];
    if (text.size() < 3 || !FromHex(text.substr(1, 2), byte)) return std::nullopt;
    decoded.push_back(static_cast<char>(byte[0]));
    text.remove_prefix(3);
  }
  return decoded;
}

}  // namespace

std::optional<Query> Query::Parse(std::string_view target) {
  Query query;
  const std::size_t mark = target.find('?');
  std::string_view rest =
      mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view parameter = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    auto name = Decode(parameter.substr(0, equals));
    auto value = Decode(parameter.substr(std::min(equals + 1, parameter.size())));
    if (!name || !value) return std::nullopt;
    const bool twice = std::ranges::any_of(query.parameters_,
                                           [&](const auto& other) { return other.first == *name; });
    if (twice) return std::nullopt;
    query.parameters_.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

std::string_view Query::Find(std::string_view name) const {
  for (const auto& [other, value] : parameters_) {
    if (other == name) return value;
  }
  return "";
}

std::string_view Query::UnknownName(std::initializer_list<std::string_view> known) const {
  for (const auto& parameter : parameters_) {
    if (std::ranges::find(known, parameter.first) == known.end()) {
      return parameter.first;
    }
  }
  return "";
}

}  // namespace idem::admin
