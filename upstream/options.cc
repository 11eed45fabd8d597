#include "upstream/options.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>

namespace idem::upstream {

namespace {

Error Wrong(std::string_view option, std::string_view what) {
  return {ErrorCode::kInvalid, std::string(option) + ": " + std::string(what)};
}

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

Result<Duration> ReadDuration(std::string_view text) {
  using std::chrono::hours;
  constexpr std::array<std::pair<std::string_view, Duration>, 5> kUnits{
      {{"ms", std::chrono::milliseconds(1)},
       {"s", std::chrono::seconds(1)},
       {"m", std::chrono::minutes(1)},
       {"h", hours(1)},
       {"d", hours(24)}}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = ReadWhole<std::uint32_t>(text.substr(0, digits));
  const auto unit = Choose(kUnits, text.substr(digits));
  constexpr std::uint32_t kCountMax = 100'000;  // 270 years of days fit into a Duration
  if (!count || !unit || *count > kCountMax) {
    return Error{ErrorCode::kInvalid, "not a duration such as 250ms, 30s or 5m"};
  }
  return *count * *unit;
}

Result<Options> ReadOptions(const RawOptions& texts) {
  Options options;
  auto listen = event::Endpoint::Parse(texts.listen);
  if (!listen) return Wrong("--listen", listen.error().detail);
  options.listen = *std::move(listen);

  if (texts.database.empty()) return Wrong("--database", "required: postgres://user@host/database");
  auto database = libpq::Url::Parse(texts.database);
  if (!database) return Wrong("--database", database.error().detail);
  options.database = *std::move(database);

  options.behaviour.legacy = texts.legacy;
  const auto delay = ReadDuration(texts.delay);
  if (!delay) return Wrong("--delay", delay.error().detail);
  options.behaviour.delay = *delay;

  const auto fault = Choose(kFaults, texts.fail);
  if (!fault) return Wrong("--fail", "not one of 500, drop-after-commit, hang-after-commit");
  options.behaviour.fault = *fault;

  const auto rate = ReadWhole<double>(texts.fail_rate);
  if (!rate || !(*rate >= 0 && *rate <= 1)) {
    return Wrong("--fail-rate", "not a number from 0 to 1");
  }
  options.behaviour.fault_rate = *rate;

  const auto seed =
      texts.seed.empty() ? std::random_device()() : ReadWhole<std::uint64_t>(texts.seed);
  if (!seed) return Wrong("--seed", "not a whole number");
  options.behaviour.fault_seed = *seed;

  const auto level = Choose(kLevels, texts.log_level);
  if (!level) return Wrong("--log-level", "not one of debug, info, warn, error");
  options.log_level = *level;
  return options;
}

}  // namespace idem::upstream
