// The end of a store's first attempt to connect, for a start that refuses a server which cannot be
// used.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/base/result.h"
#include "proxy/base/ticket.h"

namespace idem::store {

class FirstConnect {
 public:
  explicit FirstConnect(Loop& loop) : loop_(loop) {}

  /// Answers once the first attempt has ended: Ok, or why the server cannot be used.
  [[nodiscard]] Ticket WhenOver(Function<void(Status)> on_over) {
    auto [ticket, completion] = Ask<Status>(std::move(on_over));
    if (!status_) {
      waiting_.push_back(std::move(completion));
    } else {
      loop_.Post([answer = std::move(completion), status = *status_]() mutable {
        answer(std::move(status));
      });
    }
    return std::move(ticket);
  }

  /// Called at the end of every attempt; only the first call has an effect.
  void Report(const Status& status) {
    if (status_) return;
    status_ = status;
    for (Completion<Status>& completion : std::exchange(waiting_, {})) completion(status);
  }

 private:
  Loop& loop_;
  std::optional<Status> status_;
  std::vector<Completion<Status>> waiting_;
};

}  // namespace idem::store
