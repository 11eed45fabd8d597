// A request on its way through the writer of the embedded store.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "proxy/base/loop.h"
#include "proxy/store/record_steps.h"

namespace idem::store {

/// The loop that sends jobs. The writer's lock guards its members.
struct EmbeddedAsker {
  Loop* loop = nullptr;
  std::size_t unanswered = 0;
};

class EmbeddedJob {
 public:
  EmbeddedJob(EmbeddedAsker& asker, std::string key) : asker_(asker), key_(std::move(key)) {}
  virtual ~EmbeddedJob() = default;

  struct Effect {
    RecordWrite change = RecordWrite::kNone;
    StoredRecord record;
  };
  /// Runs the step. With `refusal`, a step that would write a new claim changes nothing and fails
  /// with it.
  virtual Effect Run(StoredRecord present, StoreTime now, const std::optional<Error>& refusal) = 0;
  virtual void Fail(const Error& error) = 0;
  /// Completes the request, on the asker's loop.
  virtual void Deliver() = 0;

  [[nodiscard]] EmbeddedAsker& asker() const { return asker_; }
  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  EmbeddedAsker& asker_;
  std::string key_;
};

}  // namespace idem::store
