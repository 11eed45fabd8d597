// Checks that a configuration may serve from a store. The settings that form a record's key must be
// equal to those noted in the store (idempotency/scope_manifest.h). Otherwise earlier keys would be
// forgotten silently.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/ticket.h"
#include "proxy/config/config.h"
#include "proxy/idempotency/scope_manifest.h"
#include "proxy/ports/note_store.h"

namespace idem::app {

/// Returns the scopes of all routes in `mode: enforce`. A route that only observes needs no check.
[[nodiscard]] std::vector<idempotency::RouteScope> ScopesOf(const config::Config& config);
/// Returns the prefix of every record's key, or "" if the store is not shared.
[[nodiscard]] std::string PrefixOf(const config::Config& config);

struct ScopeAnswer {
  enum class Kind : std::uint8_t {
    kAgreed,      // the store holds the scopes of the configuration
    kDiffers,     // `detail` names the differences; the store is unchanged
    kUnanswered,  // `detail` says why the store did not answer; try again
  };
  Kind kind = Kind::kAgreed;
  std::string detail;
};

/// One check at a time, on one loop.
class ScopeGuard {
 public:
  explicit ScopeGuard(ports::NoteStore& notes) : notes_(notes) {}

  /// With `accept`, the scopes of the configuration replace those in the store. A check that is
  /// still running is given up.
  [[nodiscard]] Ticket Run(const config::Config& config, bool accept,
                           Function<void(ScopeAnswer)> on_answer);

 private:
  void Read();
  void Compare(const std::optional<std::string>& held);
  void Answer(ScopeAnswer::Kind kind, std::string detail = {});

  ports::NoteStore& notes_;
  std::string prefix_;
  std::vector<idempotency::RouteScope> routes_;
  bool accept_ = false;
  int races_ = 0;  // writes by other processes in between
  Completion<ScopeAnswer> completion_;
  Ticket question_;
};

}  // namespace idem::app
