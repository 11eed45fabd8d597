// What stands for a body on a command line: the text itself, or @FILE.
#pragma once

#include <cstddef>
#include <string>

#include "proxy/base/result.h"

namespace idem::cli {

/// The bytes that `data` names, as they are. kInvalid, in words for the user, where the file cannot
/// be read or holds more than `bytes_max`, a whole number of MiB; a device never ends.
[[nodiscard]] Result<std::string> ReadData(const std::string& data, std::size_t bytes_max);

}  // namespace idem::cli
