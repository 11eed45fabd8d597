#include "proxy/cli/data_argument.h"

#include <fstream>

namespace idem::cli {

Result<std::string> ReadData(const std::string& data, std::size_t bytes_max) {
  if (!data.starts_with('@')) return data;
  const std::string path = data.substr(1);
  const auto wrong = [&](const std::string& what) {
    return Error{ErrorCode::kInvalid, "the file " + path + " " + what};
  };
  // Uses read(), because stream iterators throw if a file opens and cannot be read, as a folder
  // does.
  std::ifstream file(path, std::ios::binary);
  std::string bytes(bytes_max + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file && !file.eof()) return wrong("cannot be read");
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() <= bytes_max) return bytes;
  return wrong("is larger than " + std::to_string(bytes_max >> 20) + " MiB");
}

}  // namespace idem::cli
