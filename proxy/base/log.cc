#include "proxy/base/log.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>

#include "proxy/base/clock.h"
#include "proxy/base/json_writer.h"
#include "proxy/base/line_quota.h"

namespace idem::log {

namespace {

// spdlog's sink for standard output flushes after every line, which is a system call for each
// request. This sink buffers lines.
class BufferedStdout final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::fwrite(line.data(), 1, line.size(), stdout);
    const auto now = message.time;
    if (message.level >= spdlog::level::warn || now - flushed_ > std::chrono::milliseconds(200)) {
      flushed_ = now;
      std::fflush(stdout);
    }
  }
  void flush_() override { std::fflush(stdout); }

 private:
  spdlog::log_clock::time_point flushed_;
};

std::string_view LevelName(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warn";
    default:
      return "error";
  }
}

// Writes the level in the words of the configuration: "warn", where spdlog writes "warning".
class LevelFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& to) override {
    const std::string_view name = LevelName(message.level);
    to.append(name.data(), name.data() + name.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelFlag>();
  }
};

// The quotas of the process, one for each event.
class Quotas {
 public:
  std::optional<std::uint64_t> Take(std::string_view event) {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(BootClock::now().time_since_epoch());
    const std::lock_guard lock(mutex_);
    const auto found = quotas_.find(event);
    if (found != quotas_.end()) return found->second.Take(now);
    return quotas_.emplace(event, LineQuota()).first->second.Take(now);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, LineQuota, std::less<>> quotas_;
};

struct Sink {
  std::shared_ptr<BufferedStdout> stdout_sink = std::make_shared<BufferedStdout>();
  spdlog::logger logger{"", stdout_sink};
  std::atomic<Format> format{Format::kJson};
  Quotas quotas;
  Sink() { Apply({}); }

  void Apply(const Options& options) {
    constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                     spdlog::level::warn, spdlog::level::err,
                                                     spdlog::level::off};
    logger.set_level(kLevels[static_cast<int>(options.level)]);
    format.store(options.format);
    const char* pattern = options.format == Format::kJson
                              ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%*",%v})"
                              : "%Y-%m-%dT%H:%M:%S.%eZ %* %v";
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<LevelFlag>('*').set_pattern(pattern);
    logger.set_formatter(std::move(formatter));
  }
};

// The process has one log, made at first use.
Sink& TheSink() {
  static Sink sink;
  return sink;
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
    case Level::kNone:
      break;
  }
  return spdlog::level::err;
}

void AppendValue(const Field& field, std::string& to) {
  std::visit(
      [&](auto value) {
        using Value = decltype(value);
        if constexpr (std::is_same_v<Value, std::string_view>) {
          AppendJsonString(value, to);
        } else if constexpr (std::is_same_v<Value, bool>) {
          to += value ? "true" : "false";
        } else {
          char digits[32];
          to.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
        }
      },
      field.value);
}

std::string RenderJson(std::string_view event, std::initializer_list<Field> fields) {
  std::string line = "\"event\":";
  AppendJsonString(event, line);
  for (const Field& field : fields) {
    line.push_back(',');
    AppendJsonString(field.name, line);
    line.push_back(':');
    AppendValue(field, line);
  }
  return line;
}

std::string RenderText(std::string_view event, std::initializer_list<Field> fields) {
  std::string line(event);
  for (const Field& field : fields) {
    line.push_back(' ');
    line.append(field.name);
    line.push_back('=');
    AppendValue(field, line);
  }
  return line;
}

std::string Render(std::string_view event, std::initializer_list<Field> fields) {
  return TheSink().format.load() == Format::kJson ? RenderJson(event, fields)
                                                  : RenderText(event, fields);
}

void AppendLeftOut(std::uint64_t count, std::string& line) {
  line += TheSink().format.load() == Format::kJson ? ",\"left_out\":" : " left_out=";
  line += std::to_string(count);
}

}  // namespace

void Configure(const Options& options) { TheSink().Apply(options); }

bool enabled(Level level) { return TheSink().logger.should_log(ToSpdlog(level)); }

void Write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  WriteRendered(level, Render(event, fields));
}

void WriteLimited(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  const auto left_out = TheSink().quotas.Take(event);
  if (!left_out) return;
  std::string line = Render(event, fields);
  if (*left_out > 0) AppendLeftOut(*left_out, line);
  WriteRendered(level, line);
}

void WriteRendered(Level level, std::string_view members) {
  TheSink().logger.log(ToSpdlog(level), spdlog::string_view_t(members.data(), members.size()));
}

void Flush() { TheSink().logger.flush(); }

}  // namespace idem::log
