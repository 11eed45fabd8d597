// The small files beside a configuration that hold what must not stand in it.
#pragma once

#include <cstddef>
#include <string>

#include "proxy/base/result.h"

namespace idem::config {

struct SecretFile {
  std::string text;
  bool anybody_may_write = false;
};

/// The file `path`, which may have up to `bytes_max`; or what is wrong with it, as the end of a
/// sentence. Only a plain file is read: a pipe would wait for its writer, and a device has no end.
[[nodiscard]] Result<SecretFile> ReadSecretFile(const std::string& path, std::size_t bytes_max);

}  // namespace idem::config
