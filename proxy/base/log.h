// The log: one line an event on standard output, JSON or text. The one home of spdlog.
//
// Lines are gathered. They are written out when a line comes more than 200 ms after the last write,
// at once from `warn` up, and at Flush(), which each worker calls from a timer, so that none waits
// for the next.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace idem::log {

/// kNone is for Configure() alone: nothing is written.
enum class Level { kDebug, kInfo, kWarn, kError, kNone };
enum class Format { kJson, kText };

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kJson;
};

/// One member of a line beside `time`, `level` and `event`. Text is escaped here; values are never
/// secrets, keys or signatures.
struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;
};

/// Sets level and format for the process; callable again on reload, from one thread.
void Configure(const Options& options);

[[nodiscard]] bool enabled(Level level);

/// Writes one line: {"time":"2026-01-02T03:04:05.678Z","level":"warn","event":EVENT,...fields}. Any
/// thread.
void Write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

/// The same for what may happen with every request: of each event a few lines a second
/// (LineQuota); the first one after some that were not written says how many in `left_out`.
void WriteLimited(Level level, std::string_view event, std::initializer_list<Field> fields);

/// Writes one line whose members after `level` are already rendered as the inside of a JSON object,
/// `"event":"request",...`; in text format they are written as they are. For the access line, which
/// is built without allocations.
void WriteRendered(Level level, std::string_view members);

void Flush();

}  // namespace idem::log
