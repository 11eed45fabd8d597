#include "proxy/store/embedded/wal_gap.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

// A log consists of blocks of 32 KiB (the last one may end early). A block consists of chunks; its
// last bytes are unused if no head of a chunk fits there:
//
//   CRC (4)  LENGTH (2)  TYPE (1)  BYTES (LENGTH)      little-endian
//
// CRC is the masked CRC-32C of TYPE and BYTES. A commit is one whole chunk, or a first one, middle
// ones and a last one; its bytes begin with
//
//   NUMBER of its first write (8)  how many WRITES it has (4)
//
// Numbers have no gaps, from one commit to the next and from one log to the next. So a number that
// is missing between two others is a lost write. An old log may still be in the folder, damaged at
// its end by an earlier power loss: the first write of the next log has the next number even so.
namespace idem::store {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{32} * 1024;
constexpr std::size_t kHeadBytes = 7;
constexpr std::size_t kCommitHeadBytes = 12;
constexpr std::uint32_t kCrcMask = 0xa282ead8;

enum Type : std::uint8_t { kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

constexpr std::array<std::uint32_t, 256> CrcTable() {
  constexpr std::uint32_t kCastagnoli = 0x82f63b78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? kCastagnoli : 0);
    table[byte] = crc;
  }
  return table;
}

std::uint32_t MaskedCrc(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = CrcTable();
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char c : bytes) {
    crc = kTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xffU] ^ (crc >> 8);
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + kCrcMask;
}

std::uint64_t LittleEndian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (auto at = bytes.rbegin(); at != bytes.rend(); ++at) {
    number = number << 8 | static_cast<std::uint8_t>(*at);
  }
  return number;
}

struct Chunk {
  std::uint8_t type = 0;
  std::string_view bytes;
};

/// Returns null if no chunk begins at the beginning of `block`.
std::optional<Chunk> ReadChunk(std::string_view block) {
  if (block.size() < kHeadBytes) return {};
  const std::size_t length = LittleEndian(block.substr(4, 2));
  const auto type = static_cast<std::uint8_t>(block[6]);
  if (type == 0 || length > block.size() - kHeadBytes) return {};
  if (LittleEndian(block.substr(0, 4)) != MaskedCrc(block.substr(6, 1 + length))) return {};
  return Chunk{type, block.substr(kHeadBytes, length)};
}

/// Reads the logs block by block until it finds a gap.
class Reading {
 public:
  void BeginLog() { ForgetCommit(); }

  void TakeBlock(std::string_view block) {
    while (block.size() >= kHeadBytes && !gap_) {
      const std::optional<Chunk> chunk = ReadChunk(block);
      if (!chunk) {
        is_damaged_ = true;
        ForgetCommit();
        block.remove_prefix(ToNextCommit(block));
        continue;
      }
      TakeChunk(*chunk);
      block.remove_prefix(kHeadBytes + chunk->bytes.size());
    }
  }

  /// Leaves `file` empty.
  [[nodiscard]] const std::optional<EmbeddedLogGap>& gap() const { return gap_; }

 private:
  // The damage may have changed the length of a chunk, so the start of the next one is unknown.
  static std::size_t ToNextCommit(std::string_view block) {
    for (std::size_t at = 1; at + kHeadBytes <= block.size(); ++at) {
      const auto type = static_cast<std::uint8_t>(block[at + kHeadBytes - 1]);
      if ((type == kWhole || type == kFirst) && ReadChunk(block.substr(at))) return at;
    }
    return block.size();
  }

  void TakeChunk(const Chunk& chunk) {
    if (chunk.type == kWhole || chunk.type == kFirst) {
      ForgetCommit();
      has_commit_ = true;
    }
    if (!has_commit_ || chunk.type > kLast) return;
    head_ += chunk.bytes.substr(0, kCommitHeadBytes - head_.size());
    if (chunk.type == kWhole || chunk.type == kLast) EndCommit();
  }

  void EndCommit() {
    has_commit_ = false;
    if (head_.size() < kCommitHeadBytes) return;
    const std::uint64_t number = LittleEndian(std::string_view(head_).substr(0, 8));
    const std::uint64_t writes = LittleEndian(std::string_view(head_).substr(8));
    if (next_ && number > *next_) gap_ = {{}, number, number - *next_};
    if (!next_ && is_damaged_) gap_ = {{}, number, 0};
    next_ = std::max(next_.value_or(0), number + writes);
  }

  void ForgetCommit() {
    has_commit_ = false;
    head_.clear();
  }

  bool has_commit_ = false;            // a commit has begun
  std::string head_;                   // its first bytes
  bool is_damaged_ = false;            // some bytes were unreadable
  std::optional<std::uint64_t> next_;  // the expected number
  std::optional<EmbeddedLogGap> gap_;
};

using Logs = std::vector<std::pair<std::uint64_t, std::filesystem::path>>;

/// Returns the logs in the order in which they were begun.
Logs LogsIn(const std::string& folder) {
  Logs logs;
  std::error_code
      ignored;  // without a folder there are no logs; RocksDB cannot open an unreadable one either
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != ".log") continue;
    const std::string name = entry.path().stem().string();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) {
      logs.emplace_back(number, entry.path());
    }
  }
  std::sort(logs.begin(), logs.end());
  return logs;
}

Status ReadLog(const std::filesystem::path& path, Reading& reading) {
  std::ifstream in(path, std::ios::binary);
  std::string block(kBlockBytes, '\0');
  reading.BeginLog();
  while (in && !reading.gap()) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    reading.TakeBlock(std::string_view(block).substr(0, static_cast<std::size_t>(in.gcount())));
  }
  if (in.eof() || reading.gap()) return Ok();
  return Error{ErrorCode::kUnavailable,
               "cannot read " + path.string() + ": " + std::system_category().message(errno)};
}

}  // namespace

Result<std::optional<EmbeddedLogGap>> FindLogGap(const std::string& folder) {
  Reading reading;
  for (const auto& [number, path] : LogsIn(folder)) {
    if (Status read = ReadLog(path, reading); !read) return std::move(read).error();
    if (!reading.gap()) continue;
    EmbeddedLogGap gap = *reading.gap();
    gap.file = path.string();
    return std::optional(std::move(gap));
  }
  return std::optional<EmbeddedLogGap>();
}

}  // namespace idem::store
