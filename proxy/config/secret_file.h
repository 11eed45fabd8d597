// Small files that hold the secrets of a configuration.
#pragma once

#include <cstddef>
#include <string>

#include "proxy/base/result.h"

namespace idem::config {

struct SecretFile {
  std::string text;
  bool anybody_may_write = false;
};

/// Reads the file, which may have up to `bytes_max` bytes. The detail of an error is a predicate.
/// Reads only regular files: a pipe would wait for its writer, and a device has no end.
[[nodiscard]] Result<SecretFile> ReadSecretFile(const std::string& path, std::size_t bytes_max);

}  // namespace idem::config
