// The command line of `orders`.
#pragma once

#include <string>

#include "proxy/base/log.h"
#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/libpq/url.h"
#include "upstream/fault_plan.h"

namespace idem::upstream {

/// Options as they were typed.
struct RawOptions {
  std::string listen = "127.0.0.1:9000";
  std::string database;
  bool legacy = false;
  std::string delay = "0ms";
  std::string fail;  // empty: nothing fails
  std::string fail_rate = "1";
  std::string seed;  // empty: a random seed
  std::string log_level = "info";
};

struct Options {
  event::Endpoint listen;
  libpq::Url database;
  FaultPlan plan;
  log::Level log_level = log::Level::kInfo;
};

/// kInvalid names the wrong option and what would be right, but never the database's password.
[[nodiscard]] Result<Options> ReadOptions(const RawOptions& texts);

}  // namespace idem::upstream
