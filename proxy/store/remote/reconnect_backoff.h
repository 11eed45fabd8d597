// The pauses of a link between two attempts to connect, and the log lines about failed attempts.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/random.h"
#include "proxy/base/result.h"

namespace idem::store {

class ReconnectBackoff {
 public:
  /// `event` names the log event of a failed attempt; a literal. `is_reporter`: it is logged; one
  /// link of a process is enough.
  ReconnectBackoff(Random& random, std::string_view event, bool is_reporter)
      : random_(random), event_(event), is_reporter_(is_reporter) {}

  /// Called when there is a connection.
  void Succeed();

  /// Called when an attempt failed or the connection was lost. Logs each new reason once, not each
  /// attempt.
  void Report(const Error& why);

  /// Returns the time until the next attempt. It grows from 50 ms to 2 s and has a random part, so
  /// that the workers of many replicas do not connect at the same moment.
  [[nodiscard]] Duration NextPause();

 private:
  Random& random_;
  const std::string_view event_;
  const bool is_reporter_;
  int failures_ = 0;      // since the last connection
  std::string reported_;  // the last reason that was logged
};

}  // namespace idem::store
