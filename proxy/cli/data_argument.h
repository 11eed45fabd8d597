// A body on the command line: the text itself, or @FILE.
#pragma once

#include <cstddef>
#include <string>

#include "proxy/base/result.h"

namespace idem::cli {

/// Returns the bytes of the text or the file. Returns kInvalid, with a text for the user, if the
/// file cannot be read or is larger than `bytes_max`, which must be a whole number of MiB.
[[nodiscard]] Result<std::string> ReadData(const std::string& data, std::size_t bytes_max);

}  // namespace idem::cli
