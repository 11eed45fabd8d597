// The events of a run, recorded as they happen: requests to the backend, answers to callers, and
// faults. The verdict is computed from them and from the backend's own rows.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace idem::chaos {

using Clock = std::chrono::steady_clock;
using Moment = Clock::time_point;
using Milliseconds = std::chrono::milliseconds;

/// The numbers of the proxies that are concerned.
using ProxySet = std::set<std::size_t>;

/// One fault with its begin and its end.
struct FaultSpan {
  std::string kind;
  ProxySet proxies;
  bool touches_claims = true;  // false if it is between the callers and their proxy
  Moment begin;
  Moment end;
};

/// Rows of the backend by key: their identifiers.
using Effects = std::map<std::string, std::vector<std::string>>;

/// The figures of a run. The last four must be zero.
struct Verdict {
  std::size_t keys = 0;
  std::size_t requests = 0;
  std::size_t forwarded = 0;
  std::size_t keys_met = 0;      // keys with a fault between claim and record
  std::size_t keys_unknown = 0;  // in the first pass
  std::size_t unrecorded = 0;    // answers marked so
  std::size_t executed_twice = 0;
  std::size_t answers_differ = 0;
  std::size_t acknowledged_lost = 0;
  std::size_t unexpected = 0;      // answers that no caller of this run may get, and missing ones
  std::vector<std::string> words;  // one line for each violation
};

/// Thread-safe.
class Ledger {
 public:
  /// The backend answers no request earlier than `backend_delay` after it was sent, so its claim
  /// has no record until then.
  explicit Ledger(Milliseconds backend_delay) : backend_delay_(backend_delay) {}

  /// A proxy has written this request to the backend, so its claim is made.
  void Forwarded(std::size_t proxy, std::string_view key);
  /// Waits until a request goes through one of `proxies`. Returns false if none does within
  /// `patience`.
  bool WaitForForward(const ProxySet& proxies, Milliseconds patience);

  void Asked() { ++Locked(this)->requests_; }
  /// A caller has the final answer of an execution. `answer` is the part of it that must be the
  /// same for all.
  void Executed(std::size_t proxy, const std::string& key, int status, const std::string& answer,
                const std::string& body, bool unrecorded, Moment asked_at);
  void Unknown(const std::string& key);
  void Unexpected(const std::string& key, const std::string& what);

  void Mended(FaultSpan span);

  [[nodiscard]] std::vector<std::string> keys() const;
  /// Returns the number of keys without an executed answer to any caller.
  [[nodiscard]] std::size_t open_keys() const;

  [[nodiscard]] Verdict Audit(const Effects& effects) const;
  struct Recovery {
    std::size_t count = 0;
    std::vector<Milliseconds> times;  // from the end of the fault to the next good answer, sorted
  };
  [[nodiscard]] std::map<std::string, Recovery> Recoveries() const;

 private:
  struct Sent {
    std::size_t proxy;
    Moment at;
  };
  struct Page {
    std::vector<Sent> sent;
    std::map<std::string, int> answers;  // executed answers, except those marked unrecorded
    std::string acknowledged;            // the body of a 201
    bool unknown = false;
  };
  // Holds the lock for one expression.
  struct Locked {
    explicit Locked(Ledger* of) : ledger(of), lock(of->mutex_) {}
    Ledger* operator->() const { return ledger; }
    Ledger* ledger;
    std::lock_guard<std::mutex> lock;
  };
  [[nodiscard]] bool MetFault(const Page& page) const;
  void AuditKey(const std::string& key, const Page& page, const Effects& effects,
                Verdict& verdict) const;

  const Milliseconds backend_delay_;
  mutable std::mutex mutex_;
  std::condition_variable forwarded_;
  std::map<std::size_t, std::uint64_t> forwards_;  // by proxy
  std::size_t requests_ = 0;
  std::size_t unrecorded_ = 0;
  std::map<std::string, Page> pages_;
  std::vector<FaultSpan> faults_;
  std::vector<FaultSpan> recovering_;
  std::map<std::string, Recovery> recoveries_;
  std::vector<std::string> unexpected_;
};

}  // namespace idem::chaos
