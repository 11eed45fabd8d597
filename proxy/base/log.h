// The log: one line per event on standard output, as JSON or text. Only this file uses spdlog.
//
// Lines are buffered. They are written when a line comes more than 200 ms after the last write,
// immediately from level `warn` up, and at Flush(). Each worker calls Flush() from a timer, so no
// line waits for the next one.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace idem::log {

/// kNone disables the log. It is valid for Configure() only.
enum class Level { kDebug, kInfo, kWarn, kError, kNone };
enum class Format { kJson, kText };

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kJson;
};

/// One member of a line after `time`, `level` and `event`. Text is escaped by the log. A value must
/// never be a secret, a key or a signature.
struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;
};

/// Sets level and format for the process. A reload may call it again, from one thread.
void Configure(const Options& options);

[[nodiscard]] bool enabled(Level level);

/// Writes one line: {"time":"2026-01-02T03:04:05.678Z","level":"warn","event":EVENT,...fields}.
/// Thread-safe.
void Write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

/// Writes a line for an event that may happen with every request. LineQuota limits each event to a
/// few lines a second; the next line that is written reports the skipped ones in `left_out`.
/// Thread-safe.
void WriteLimited(Level level, std::string_view event, std::initializer_list<Field> fields);

/// Writes one line whose members after `level` are already rendered as the inside of a JSON object,
/// `"event":"request",...`. The text format writes them unchanged. The access line uses it, because
/// it is built without allocations.
void WriteRendered(Level level, std::string_view members);

void Flush();

}  // namespace idem::log
