#include "proxy/config/yaml/config_error.h"

#include <utility>

namespace idem::config {

std::string ConfigError::ToText() const {
  std::string text = file;
  if (place.line > 0) {
    text += ':' + std::to_string(place.line) + ':' + std::to_string(place.column);
  }
  text += ": ";
  if (!path.empty()) text += path + ": ";
  return text + what;
}

void ConfigErrors::Add(SourcePosition place, std::string path, std::string what) {
  found_.emplace(place, std::move(path), std::move(what));
}

std::vector<ConfigError> ConfigErrors::Take() && {
  std::vector<ConfigError> mistakes;
  mistakes.reserve(found_.size());
  for (const auto& [place, path, what] : found_) mistakes.push_back({file_, place, path, what});
  return mistakes;
}

}  // namespace idem::config
