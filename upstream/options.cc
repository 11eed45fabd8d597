#include "upstream/options.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>

#include "proxy/base/quantity_text.h"

namespace idem::upstream {

namespace {

Error Wrong(std::string_view option, std::string_view what) {
  return {ErrorCode::kInvalid, std::string(option) + ": " + std::string(what)};
}

constexpr std::chrono::hours kDelayMax{24 * 100'000};  // 270 years fit into a Duration

template <class Number>
std::optional<Number> ReadWhole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class Value, std::size_t kCount>
std::optional<Value> Choose(const std::array<std::pair<std::string_view, Value>, kCount>& choices,
                            std::string_view text) {
  for (const auto& [name, value] : choices) {
    if (name == text) return value;
  }
  return std::nullopt;
}

constexpr std::array<std::pair<std::string_view, Fault>, 4> kFaults{
    {{"", Fault::kNone},
     {"500", Fault::kError},
     {"drop-after-commit", Fault::kDropAfterCommit},
     {"hang-after-commit", Fault::kHangAfterCommit}}};

constexpr std::array<std::pair<std::string_view, log::Level>, 4> kLevels{
    {{"debug", log::Level::kDebug},
     {"info", log::Level::kInfo},
     {"warn", log::Level::kWarn},
     {"error", log::Level::kError}}};

}  // namespace

Result<Options> ReadOptions(const RawOptions& texts) {
  Options options;
  auto listen = event::Endpoint::Parse(texts.listen);
  if (!listen) return Wrong("--listen", listen.error().detail);
  options.listen = *std::move(listen);

  if (texts.database.empty())
    return Wrong("--database", "is required: postgres://user@host/database");
  auto database = libpq::Url::Parse(texts.database);
  if (!database) return Wrong("--database", database.error().detail);
  options.database = *std::move(database);

  options.plan.legacy = texts.legacy;
  const auto delay = ParseDuration(texts.delay);
  if (!delay) return Wrong("--delay", delay.error().detail);
  if (*delay > kDelayMax) return Wrong("--delay", "is too long a time");
  options.plan.delay = *delay;

  const auto fault = Choose(kFaults, texts.fail);
  if (!fault) return Wrong("--fail", "must be one of 500, drop-after-commit, hang-after-commit");
  options.plan.fault = *fault;

  const auto rate = ReadWhole<double>(texts.fail_rate);
  if (!rate || !(*rate >= 0 && *rate <= 1)) {
    return Wrong("--fail-rate", "must be a number from 0 to 1");
  }
  options.plan.fault_rate = *rate;

  const auto seed =
      texts.seed.empty() ? std::random_device()() : ReadWhole<std::uint64_t>(texts.seed);
  if (!seed) return Wrong("--seed", "must be a whole number");
  options.plan.fault_seed = *seed;

  const auto level = Choose(kLevels, texts.log_level);
  if (!level) return Wrong("--log-level", "must be one of debug, info, warn, error");
  options.log_level = *level;
  return options;
}

}  // namespace idem::upstream
