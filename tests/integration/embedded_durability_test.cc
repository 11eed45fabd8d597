// Tests that the embedded store outlives its process and its machine: kill -9 at every system call
// that writes, and a power loss at any step that loses everything unsynced.
#include <doctest/doctest.h>
#include <rocksdb/env.h>

#include <csignal>
#include <filesystem>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "proxy/store/embedded/embedded_store.h"
#include "tests/contract/samples.h"
#include "tests/contract/store_caller.h"
#include "tests/contract/store_fixtures.h"
#include "tests/support/forgetful_disk.h"
#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"
#include "tests/support/temp_folder.h"

namespace idem::support {

namespace {

using idempotency::Claim;
using idempotency::RecordState;
using ports::BeginResult;
using ports::TransitionResult;
using support::Conversation;
using support::Response;
using support::ScriptedBackend;

// ---- kill -9 at every call ----------------------------------------------------------------------

/// Each answer is different, so that a second execution shows.
ScriptedBackend::Script NumberedAnswers() {
  return [](Conversation& talk) {
    static std::atomic<int> number = 0;
    talk.Send(Response(201, "order " + std::to_string(++number) + " for " +
                                talk.request().Field("Idempotency-Key")));
  };
}

HttpResponse PostOrder(std::uint16_t port, const std::string& key) {
  return AskOnce(port, "POST", "/orders",
                 {{"Idempotency-Key", key}, {"Content-Type", "application/json"}}, "{}");
}

/// The outcomes that callers got, across every death of the proxy.
class Callers {
 public:
  explicit Callers(ScriptedBackend& backend) : backend_(backend) {}

  /// Sends new keys one after the other until the proxy is gone. Returns false if it outlived them
  /// all.
  bool AskUntilItDies(std::uint16_t port, int keys) {
    for (int i = 0; i < keys; ++i) {
      const std::string key = "key-" + std::to_string(++last_);
      try {
        answers_[key] = {};
        answers_[key] = PostOrder(port, key).body;
      } catch (const std::runtime_error&) {
        return true;
      }
    }
    return false;
  }

  /// Sends every key again to the next process. A key with an answer gets the same answer, and the
  /// backend executes each key at most once. A key without an answer now never gets one.
  void AskAgain(std::uint16_t port) {
    for (auto& [key, answer] : answers_) {
      CAPTURE(key);
      const int before = backend_.requests_with_key(key);
      const HttpResponse again = PostOrder(port, key);
      CAPTURE(again.body);
      CHECK(backend_.requests_with_key(key) <= 1);
      if (!answer.empty()) {
        CHECK(again.status == 201);
        CHECK(again.body == answer);
        CHECK(again.Field("Idempotent-Replayed") == "true");
      } else if (again.status == 504) {
        CHECK(again.body.find("outcome-unknown") != std::string::npos);
        ++unknown;
      } else if (again.Field("Idempotent-Replayed") == "true") {
        CHECK(before == 1);
        ++found_recorded;
      } else {
        CHECK(again.status == 201);
        CHECK(before == 0);
        ++found_absent;
      }
    }
    answers_.clear();
  }

  // Outcomes of the keys that had no answer, counted.
  int unknown = 0;
  int found_recorded = 0;
  int found_absent = 0;

 private:
  ScriptedBackend& backend_;
  std::map<std::string, std::string> answers_;  // "" if there is none
  int last_ = 0;
};

/// Kills the proxy when one of its threads makes its N-th `call`, for N = 1, 1 + step, ... until
/// the proxy outlives its callers. After each death a start must find every record as it was.
void KillAtEvery(const std::string& call, int step, Callers& callers, ScriptedBackend& backend) {
  CAPTURE(call);
  const TempFolder folder;
  const std::string yaml = "workers: 1\nstore: { type: embedded, path: " + folder.path() +
                           "/db }\nroutes:\n  - path: /orders\n    upstream: http://" +
                           backend.address() + "\n    idempotency: {}\n";
  bool died = true;
  for (int number = 1; died; number += step) {
    CAPTURE(number);
    REQUIRE(number < 300);
    try {
      RunningProxy proxy(yaml,
                         {"-o", "/dev/null", "-e", "trace=" + call, "-e",
                          "inject=" + call + ":signal=SIGKILL:when=" + std::to_string(number)});
      died = callers.AskUntilItDies(proxy.port(), 5);
    } catch (const std::runtime_error&) {
      died = true;  // during its start
    }
    RunningProxy next(yaml);
    callers.AskAgain(next.port());
    next.process().Signal(SIGKILL);
    next.process().WaitForExit();
  }
}

TEST_CASE(
    "killed at any call that writes to the disk, the store opens and holds what was promised") {
  ScriptedBackend backend(NumberedAnswers());
  Callers callers(backend);
  // Under a sanitizer a start takes half a second, so only some calls are tried there. strace
  // counts each kind of call separately.
  const int step = kSanitized ? 5 : 1;
  for (const std::string call : {"write", "pwrite64", "fdatasync", "fsync", "ftruncate",
                                 "fallocate", "sync_file_range", "rename", "unlink", "mkdir"}) {
    KillAtEvery(call, step, callers, backend);
  }
  MESSAGE("keys without an answer: " << callers.unknown << " unknown, " << callers.found_recorded
                                     << " recorded, " << callers.found_absent << " absent");
  if (kSanitized) return;
  CHECK(callers.unknown > 0);
  CHECK(callers.found_recorded > 0);
  CHECK(callers.found_absent > 0);
}

TEST_CASE("killed at any call that sends, the next process answers each key as it was left") {
  ScriptedBackend backend(NumberedAnswers());
  Callers callers(backend);
  KillAtEvery("sendmsg", 1, callers, backend);
  MESSAGE("keys without an answer: " << callers.unknown << " unknown, " << callers.found_recorded
                                     << " recorded, " << callers.found_absent << " absent");
  CHECK(callers.unknown > 0);
  CHECK(callers.found_recorded > 0);
}

// ---- Power losses -------------------------------------------------------------------------------

constexpr int kNever = std::numeric_limits<int>::max();

/// The history of one key. A time is the number of power losses before it: a key `claimed` at 3 was
/// acknowledged before loss 3 and must be there after it.
struct Deed {
  std::string key;
  Claim claim;
  int asked = kNever;
  int claimed = kNever;
  int completing = kNever;
  int completed = kNever;

  [[nodiscard]] idempotency::StoredResponse response() const {
    const std::size_t bytes = 1 + std::hash<std::string>()(key) % 40'000;
    return contract::NewResponse(key + std::string(bytes, key.back()));
  }
};

class StoreOn {
 public:
  StoreOn(store::StoreOptions options, rocksdb::Env* env) {
    store::EmbeddedEnvironment world;
    world.env = env;
    auto opened = store::EmbeddedStore::Open(options, std::move(world));
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }
  std::unique_ptr<contract::StoreClient> Connect(event::EventLoop& loop) {
    return std::make_unique<contract::StoreClientOf<store::EmbeddedStoreClient>>(*store_, loop);
  }

 private:
  std::unique_ptr<store::EmbeddedStore> store_;
};

store::StoreOptions OptionsFor(const std::string& path, store::Durability durability) {
  store::StoreOptions options;
  options.path = path;
  options.durability = durability;
  return options;
}

/// Claims and completes on a disk that sometimes loses power, and audits the state after each loss.
class PowerLosses {
 public:
  struct Terms {
    store::Durability durability = store::Durability::kFsync;
    bool honest = true;  // whether the disk's sync really syncs
  };

  PowerLosses(const Terms& terms, std::uint64_t seed) : terms_(terms), random_(seed) { Run(); }

  [[nodiscard]] int losses() const { return losses_; }
  [[nodiscard]] int acknowledged() const { return acknowledged_; }

  /// Returns the violations in words.
  std::vector<std::string> Audit() {
    for (int loss = 0; loss < losses_; ++loss) AuditLoss(loss);
    return std::move(findings_);
  }

 private:
  static constexpr int kLossesMax = 12;
  static constexpr std::size_t kKeys = 600;  // their bodies fill more than the first log

  [[nodiscard]] std::string Wreck(int loss) const {
    return folder_.path() + "/wreck-" + std::to_string(loss);
  }

  /// Most steps are appends to the log and its syncs. The others are rare while claims are made and
  /// get a higher chance.
  void MaybeLosePower(const std::string& name) {
    until_loss_ -= is_open_ && !name.ends_with(".log") ? 10 : 1;
    if (until_loss_ > 0 || losses_ == kLossesMax) return;
    disk_->LosePower(path_ + "/records", Wreck(losses_) + "/records", random_);
    ++losses_;
    until_loss_ = static_cast<int>(1 + random_() % 160);
  }

  void Run() {
    disk_ = std::make_shared<ForgetfulDisk>(
        terms_.honest, [this](const std::string& name) { MaybeLosePower(name); });
    const auto env = rocksdb::NewCompositeEnv(disk_);
    StoreOn store(OptionsFor(path_, terms_.durability), env.get());
    is_open_ = true;
    contract::Caller caller(store);
    while (deeds_.size() < kKeys) RunSome(caller);
  }

  void RunSome(contract::Caller& caller) {
    const std::size_t first = deeds_.size();
    const std::size_t count = 1 + first % 7;
    for (std::size_t i = 0; i < count; ++i) {
      deeds_.push_back({"key-" + std::to_string(deeds_.size()), contract::NewClaim()});
      deeds_.back().asked = losses_;
    }
    for (const auto& answer :
         caller.AwaitAll<BeginResult>(count, [&](std::size_t i, auto on_answer) {
           const Deed& deed = deeds_[first + i];
           return caller.records().Begin({deed.key, deed.claim, {}, {}}, std::move(on_answer));
         })) {
      REQUIRE(answer.has_value());
    }
    const std::size_t completions = count - (first % 3 == 0 ? 1 : 0);  // some stay executing
    for (std::size_t i = 0; i < count; ++i) {
      deeds_[first + i].claimed = losses_;
      if (i < completions) deeds_[first + i].completing = losses_;
    }
    acknowledged_ += static_cast<int>(count + completions);
    if (completions == 0) return;
    for (const auto& answer :
         caller.AwaitAll<TransitionResult>(completions, [&](std::size_t i, auto on_answer) {
           const Deed& deed = deeds_[first + i];
           return caller.records().Apply(
               contract::Completion(deed.key, deed.claim, deed.response()), std::move(on_answer));
         })) {
      REQUIRE(answer.has_value());
    }
    for (std::size_t i = 0; i < completions; ++i) deeds_[first + i].completed = losses_;
  }

  void AuditLoss(int loss) {
    const auto find = [&](const std::string& what) {
      findings_.push_back("power loss " + std::to_string(loss) + ": " + what);
    };
    try {
      StoreOn store(OptionsFor(Wreck(loss), terms_.durability), nullptr);
      contract::Caller caller(store);
      const auto looks =
          caller.AwaitAll<ports::ReadResult>(deeds_.size(), [&](std::size_t i, auto on_answer) {
            return caller.records().Read(deeds_[i].key, std::move(on_answer));
          });
      for (std::size_t i = 0; i < deeds_.size(); ++i) {
        if (looks[i]) {
          AuditDeed(deeds_[i], loss, looks[i]->record, find);
        } else {
          find("unreadable: " + deeds_[i].key + ": " + looks[i].error().detail);
        }
      }
      const Claim fresh = contract::NewClaim();
      if (caller.Begin("fresh", fresh).kind != BeginResult::Kind::kClaimed ||
          caller.Complete("fresh", fresh).kind != TransitionResult::Kind::kDone) {
        find("the store does not go on");
      }
    } catch (const std::runtime_error& failure) {
      find(std::string("the store does not open: ") + failure.what());
    }
    std::filesystem::remove_all(Wreck(loss));
  }

  template <class Find>
  static void AuditDeed(const Deed& deed, int loss,
                        const std::optional<idempotency::Record>& record, Find find) {
    const auto happened = [&](int at) { return at <= loss; };
    if (!record) {
      if (happened(deed.claimed)) find("lost: " + deed.key);
      return;
    }
    if (!happened(deed.asked)) find("nobody had asked for: " + deed.key);
    if (!contract::IsSameClaim(record->claim, deed.claim)) find("another claim: " + deed.key);
    if (record->state == RecordState::kCompleted) {
      if (!happened(deed.completing)) find("nobody had completed: " + deed.key);
      if (!record->response || !contract::IsSameResponse(*record->response, deed.response())) {
        find("torn: " + deed.key);
      }
    } else if (happened(deed.completed)) {
      find("its answer is lost: " + deed.key);
    } else if (record->state != RecordState::kUnknown) {
      find("still executing, in a process that is dead: " + deed.key);
    }
  }

  const Terms terms_;
  std::mt19937_64 random_;  // the disk's, under its lock
  const TempFolder folder_;
  const std::string path_ = folder_.path() + "/store";
  std::shared_ptr<ForgetfulDisk> disk_;
  std::atomic<bool> is_open_ = false;
  std::atomic<int> losses_ = 0;
  int until_loss_ = static_cast<int>(1 + random_() % 40);  // in steps; under the disk's lock
  std::vector<Deed> deeds_;
  int acknowledged_ = 0;
  std::vector<std::string> findings_;
};

std::uint64_t Seed() {
  const char* given = std::getenv("IDEM_TEST_SEED");
  return given != nullptr ? std::stoull(given) : std::random_device()();
}

TEST_CASE("what the embedded store acknowledged outlives a power loss at any step") {
  const std::uint64_t seed = Seed();
  constexpr std::uint64_t kRuns = kSanitized ? 1 : 2;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    PowerLosses losses({}, seed + run);
    MESSAGE("IDEM_TEST_SEED=" << seed << " run " << run << ": " << losses.losses()
                              << " power losses, " << losses.acknowledged() << " acknowledged");
    CHECK(losses.losses() > 0);
    for (const std::string& finding : losses.Audit()) FAIL_CHECK(finding);
  }
}

TEST_CASE("the auditor of power losses sees a sync that does nothing, and one that is not made") {
  const std::uint64_t seed = Seed();
  MESSAGE("IDEM_TEST_SEED=" << seed);
  PowerLosses dishonest({.honest = false}, seed);
  CHECK_FALSE(dishonest.Audit().empty());

  PowerLosses unsynced({.durability = store::Durability::kOs}, seed);
  const std::vector<std::string> findings = unsynced.Audit();
  CHECK_FALSE(findings.empty());
  for (const std::string& finding : findings) {  // forgets unsynced data only
    CAPTURE(finding);
    CHECK(finding.find("lost: ") != std::string::npos);
  }
}

}  // namespace

}  // namespace idem::support
