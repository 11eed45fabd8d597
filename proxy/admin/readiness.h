// The state behind /readyz: can this process serve requests?
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace idem::admin {

/// Shared by the workers, which report the state of their store, and the admin listener, which
/// reads it.
class Readiness {
 public:
  explicit Readiness(std::size_t workers) : stores_(workers, "not asked yet") {}

  /// nullopt means that worker `index` reaches its store.
  void SetStore(std::size_t index, std::optional<std::string> unavailable_reason);
  void SetListening();
  void SetDraining();

  /// Returns "" if the process is ready. Otherwise returns one line for each reason, such as
  /// "store: connection refused".
  [[nodiscard]] std::string unavailable_reason() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::optional<std::string>> stores_;
  bool listening_ = false;
  bool draining_ = false;
};

}  // namespace idem::admin
