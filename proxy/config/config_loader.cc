#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "proxy/config/cross_checks.h"
#include "proxy/config/unimplemented_features.h"
#include "proxy/config/yaml/environment_substitution.h"

namespace idem::config {

namespace {

constexpr std::size_t kFileMax = 1 << 20;  // bytes

void ReadSections(const Node& document, Draft& draft) {
  MapReader root(document, draft.mistakes);
  ReadProcess(root, draft);
  ReadLimits(root, draft);
  ReadStore(root, draft);
  ReadClients(root, draft);
  ReadUpstreams(root, draft);
  ReadRoutes(root, draft);
  root.RefuseUnknownKeys();
}

LoadResult Refuse(const std::string& file, std::string what) {
  return std::vector<ConfigError>{{file, {}, "", std::move(what)}};
}

}  // namespace

LoadResult LoadText(const std::string& file, std::string_view text,
                    const Environment& environment) {
  Draft draft(file);
  auto document = ParseYaml(text, draft.mistakes);
  if (!document) return std::move(draft.mistakes).Take();
  ApplyEnvironment(*document, environment, draft.mistakes);
  ReadSections(*document, draft);
  RefuseUnavailable(*document, draft.mistakes);
  CheckWhole(draft);
  if (!draft.mistakes.empty()) return std::move(draft.mistakes).Take();
  WarnOfRisks(draft);
  draft.config.warnings = std::move(draft.warnings).Take();
  return std::move(draft.config);
}

LoadResult LoadFile(const std::string& path, const Environment& environment) {
  struct stat status {};
  std::ifstream file(path, std::ios::binary);
  if (!file || ::stat(path.c_str(), &status) != 0) {
    return Refuse(path, std::string("cannot be read: ") + std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) return Refuse(path, "is a folder; a file is needed");
  std::string text(kFileMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kFileMax) return Refuse(path, "is larger than 1MiB");
  return LoadText(path, text, environment);
}

}  // namespace idem::config
