// What the command line of `orders` says.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/log.h"
#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/libpq/url.h"
#include "upstream/orders_service.h"

namespace idem::upstream {

/// As it was typed.
struct RawOptions {
  std::string listen = "127.0.0.1:9000";
  std::string database;
  bool legacy = false;
  std::string delay = "0ms";
  std::string fail;  // "": nothing fails
  std::string fail_rate = "1";
  std::string seed;  // "": drawn
  std::string log_level = "info";
};

struct Options {
  event::Endpoint listen;
  libpq::Url database;
  FaultPlan behaviour;
  log::Level log_level = log::Level::kInfo;
};

/// kInvalid names the option that is wrong, and what would be right; never the database's password.
[[nodiscard]] Result<Options> ReadOptions(const RawOptions& texts);

/// "250ms", "30s", "5m", "24h", "7d"; whole numbers.
[[nodiscard]] Result<Duration> ReadDuration(std::string_view text);

}  // namespace idem::upstream
