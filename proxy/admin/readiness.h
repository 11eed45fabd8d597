// Whether this process should get requests, and if not, why: /readyz.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace idem::admin {

/// Shared by the workers, which say how their store is, and the admin listener, which asks.
class Readiness {
 public:
  explicit Readiness(std::size_t workers) : stores_(workers, "not asked yet") {}

  /// nullopt: worker `index` can ask its store.
  void SetStore(std::size_t index, std::optional<std::string> unavailable_reason);
  void SetListening();
  void SetDraining();

  /// "" when ready; else each thing that is not, one a line: "store: connection refused".
  [[nodiscard]] std::string unavailable_reason() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::optional<std::string>> stores_;
  bool listening_ = false;
  bool draining_ = false;
};

}  // namespace idem::admin
