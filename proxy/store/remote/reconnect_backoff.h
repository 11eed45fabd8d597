// What a link to a store's server does between two connections: how long it pauses, and what it
// tells the operator.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/random.h"
#include "proxy/base/result.h"

namespace idem::store {

class ReconnectBackoff {
 public:
  /// `event`: under which the log tells why there is no connection; a literal. `is_reporter`: whether it
  /// does; of a process's many links one is enough.
  ReconnectBackoff(Random& random, std::string_view event, bool is_reporter)
      : random_(random), event_(event), is_reporter_(is_reporter) {}

  /// There is a connection.
  void Succeed();

  /// There is none, or none any more: one log line for each new reason, not for each attempt.
  void Tell(const Error& why);

  /// Until the next attempt. Grows from 50 ms to 2 s, with a random part, so that the workers of
  /// many replicas do not come back all at once.
  [[nodiscard]] Duration NextPause();

 private:
  Random& random_;
  const std::string_view event_;
  const bool is_reporter_;
  int failures_ = 0;  // since the last connection
  std::string told_;  // the last reason that was logged
};

}  // namespace idem::store
