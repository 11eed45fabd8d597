// Whether a configuration may serve from a store: what decides where records lie must be what the
// store holds (store/scopes.h), or earlier keys would be forgotten in silence.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/ticket.h"
#include "proxy/config/config.h"
#include "proxy/idempotency/scope_manifest.h"
#include "proxy/ports/note_store.h"

namespace idem::app {

/// Of every route that enforces: what one observes forgets nothing.
[[nodiscard]] std::vector<idempotency::RouteScope> ScopesOf(const config::Config& config);
/// What stands before every record's key: of a store that has it.
[[nodiscard]] std::string PrefixOf(const config::Config& config);

struct ScopeAnswer {
  enum class Kind : std::uint8_t {
    kAgreed,      // the store holds what the configuration says, now at the latest
    kDiffers,     // `detail`: how, with both values. The store holds what it held
    kUnanswered,  // `detail`: why the store could not be asked. Ask again
  };
  Kind kind = Kind::kAgreed;
  std::string detail;
};

/// One check at a time, on one loop.
class ScopeGuard {
 public:
  explicit ScopeGuard(ports::NoteStore& notes) : notes_(notes) {}

  /// `accept`: what the configuration says is right, and the store is to hold it from now on. A
  /// check that runs is given up.
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
  int races_ = 0;  // others that wrote meanwhile
  Completion<ScopeAnswer> completion_;
  Ticket question_;
};

}  // namespace idem::app
