// Helpers for the tests of the configuration.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/config/config.h"

namespace idem::config {

using Variables = std::map<std::string, std::string>;

inline Environment EnvironmentOf(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

inline std::vector<std::string> ToLines(const std::vector<ConfigError>& mistakes) {
  std::vector<std::string> lines;
  for (const ConfigError& mistake : mistakes) lines.push_back(mistake.ToText());
  return lines;
}

/// Returns the lines that `check` would print for a text called "f"; empty for a good one.
inline std::vector<std::string> MistakesOf(std::string_view text, const Variables& variables = {}) {
  const auto loaded = LoadText("f", text, EnvironmentOf(variables));
  const auto* mistakes = std::get_if<std::vector<ConfigError>>(&loaded);
  return mistakes == nullptr ? std::vector<std::string>() : ToLines(*mistakes);
}

inline std::string JoinLines(const std::vector<std::string>& lines) {
  std::string joined;
  for (const std::string& line : lines) joined += line + "\n";
  return joined;
}

/// Returns the configuration of a file that must be good.
inline Config Good(LoadResult loaded) {
  if (const auto* mistakes = std::get_if<std::vector<ConfigError>>(&loaded)) {
    FAIL(JoinLines(ToLines(*mistakes)));
  }
  return std::get<Config>(std::move(loaded));
}
inline Config GoodText(std::string_view text, const Variables& variables = {}) {
  return Good(LoadText("f", text, EnvironmentOf(variables)));
}

}  // namespace idem::config
