// The embedded store's promises beyond the contract: data outlives the process, a folder has one
// owner, and the store copes with a full disk, a wrong clock, and commits that many share.
#include "proxy/store/embedded/embedded_store.h"

#include <doctest/doctest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/contract/embedded_fixture.h"
#include "tests/contract/store_caller.h"
#include "tests/support/process.h"

namespace idem::contract {

using idempotency::Claim;
using idempotency::RecordState;
using ports::BeginResult;
using ports::TransitionResult;
using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

/// A disk that is full while the test says so, except for the space that the reserve gives back.
class FullDisk final : public rocksdb::FileSystemWrapper {
 public:
  explicit FullDisk(std::string reserve)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), reserve_(std::move(reserve)) {}
  [[nodiscard]] const char* Name() const override { return "FullDisk"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    const auto made = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (made.ok()) *file = std::make_unique<File>(std::move(*file), *this);
    return made;
  }

  [[nodiscard]] rocksdb::IOStatus Take() const {
    const bool is_full = is_full_ && (is_reserve_used_ || std::filesystem::exists(reserve_));
    return is_full ? rocksdb::IOStatus::NoSpace("injected") : rocksdb::IOStatus::OK();
  }

  std::atomic<bool> is_full_ = false;
  std::atomic<bool> is_reserve_used_ = false;

 private:
  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSWritableFile> file, FullDisk& disk)
        : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk) {}
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      auto taken = disk_.Take();
      return taken.ok() ? FSWritableFileOwnerWrapper::Append(data, options, debug) : taken;
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo& verification,
                             rocksdb::IODebugContext* debug) override {
      auto taken = disk_.Take();
      return taken.ok() ? FSWritableFileOwnerWrapper::Append(data, options, verification, debug)
                        : taken;
    }

   private:
    FullDisk& disk_;
  };

  std::string reserve_;
};

Result<BeginResult> TryBegin(Caller& caller, const std::string& key, const Claim& claim) {
  return caller.Try<BeginResult>([&](auto on_answer) {
    return caller.records().Begin({key, claim, {}, {}}, std::move(on_answer));
  });
}

}  // namespace

TEST_CASE("a restart finds what was completed, and what was executing as unknown at once") {
  EmbeddedFixture fixture;
  const Claim completed = NewClaim();
  const Claim executing = NewClaim();
  const Claim released = NewClaim();
  {
    Caller caller(fixture);
    caller.Begin("completed", completed);
    caller.Complete("completed", completed);
    caller.Begin("executing", executing);
    caller.Begin("released", released);
    caller.Release("released", released.token);
  }
  fixture.Reopen();
  Caller caller(fixture);
  const BeginResult replay = caller.Begin("completed", NewClaim());
  REQUIRE(replay.record);
  CHECK(replay.record->state == RecordState::kCompleted);
  CHECK(IsSameResponse(*replay.record->response, NewResponse()));

  const BeginResult unknown = caller.Begin("executing", NewClaim());
  REQUIRE(unknown.record);
  CHECK(unknown.record->state == RecordState::kUnknown);
  CHECK(IsSameClaim(unknown.record->claim, executing));
  CHECK(unknown.record->lease_ends_at > unknown.now);
  CHECK(caller.Begin("executing", NewClaim(), executing.token).kind == BeginResult::Kind::kClaimed);

  CHECK(caller.Begin("released", NewClaim()).kind == BeginResult::Kind::kClaimed);
}

TEST_CASE("records outlive a restart with durability os too") {
  EmbeddedFixture fixture;
  fixture.options().durability = store::Durability::kOs;
  fixture.Reopen();
  {
    Caller caller(fixture);
    const Claim claim = NewClaim();
    caller.Begin("k", claim);
    caller.Complete("k", claim);
  }
  fixture.Reopen();
  CHECK(Caller(fixture).Read("k").record.has_value());
}

TEST_CASE("a folder has one owner, and the next waits for it") {
  EmbeddedFixture fixture;
  std::atomic<int> looks = 0;
  std::atomic<bool> is_open = false;
  std::thread next([&] {
    store::EmbeddedEnvironment world;
    world.keep_waiting = [&] { return ++looks, true; };
    auto opened = store::EmbeddedStore::Open(fixture.options(), world);
    is_open = opened.has_value();
  });
  while (looks < 2) std::this_thread::yield();
  CHECK_FALSE(is_open);
  fixture.Close();
  next.join();
  CHECK(is_open);
}

TEST_CASE("a wait for a folder can be cancelled") {
  EmbeddedFixture fixture;
  store::EmbeddedEnvironment world;
  world.keep_waiting = [] { return false; };
  auto opened = store::EmbeddedStore::Open(fixture.options(), world);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kUnavailable);
}

TEST_CASE("a folder that cannot be made is refused with what to do") {
  support::TempFolder folder;
  std::ofstream(folder.path() + "/file") << "not a folder";
  store::StoreOptions options;
  options.path = folder.path() + "/file/store";
  auto opened = store::EmbeddedStore::Open(options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().detail.find(options.path) != std::string::npos);
  CHECK(opened.error().detail.find("store.path") != std::string::npos);
}

TEST_CASE("beyond max_size new claims are refused, and what runs is completed and replayed") {
  EmbeddedFixture fixture;
  const Claim running = NewClaim();
  {
    Caller caller(fixture);
    caller.Begin("running", running);
  }
  fixture.Close();
  fixture.options().max_size = 1;
  fixture.Open();
  auto full = std::make_unique<event::EventLoop>();
  const auto client = fixture.Connect(*full);
  std::vector<std::string> seen;
  std::vector<Ticket> tickets;
  CHECK(client->records().unavailable_reason().has_value());
  tickets.push_back(
      client->records().Begin({"new", NewClaim(), {}, {}}, [&](Result<BeginResult> answer) {
        seen.emplace_back(answer ? "claimed" : "refused");
        CHECK(answer.error().code == ErrorCode::kRefused);
        CHECK(answer.error().detail.find("store.max_size") != std::string::npos);
      }));
  tickets.push_back(
      client->records().Apply(Completion("running", running), [&](Result<TransitionResult> answer) {
        seen.emplace_back(answer ? "completed" : "refused");
      }));
  tickets.push_back(
      client->records().Begin({"running", NewClaim(), {}, {}}, [&](Result<BeginResult> answer) {
        seen.emplace_back(answer && answer->record->response ? "replayed" : "refused");
        full->Stop();
      }));
  full->Run();
  CHECK(seen == std::vector<std::string>{"refused", "completed", "replayed"});
}

TEST_CASE("a full disk refuses new claims, completes what runs on its reserve, and recovers") {
  EmbeddedFixture fixture;
  fixture.Close();
  const auto disk = std::make_shared<FullDisk>(fixture.path() + "/reserve");
  fixture.env() = rocksdb::NewCompositeEnv(disk);
  fixture.free_bytes() = [disk](const std::string&) {
    return disk->is_full_ ? 0 : std::uint64_t{1} << 40;
  };
  fixture.Open();
  {
    Caller caller(fixture);
    const Claim done = NewClaim();
    const Claim running = NewClaim();
    caller.Begin("done", done);
    caller.Complete("done", done);
    caller.Begin("running", running);

    disk->is_full_ = true;
    CHECK(caller.Complete("running", running).kind == TransitionResult::Kind::kDone);
    CHECK_FALSE(std::filesystem::exists(fixture.path() + "/reserve"));

    disk->is_reserve_used_ = true;
    const auto refused = TryBegin(caller, "new", NewClaim());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kRefused);
    for (const std::string key : {"done", "running"}) {
      const BeginResult replay = caller.Begin(key, NewClaim());
      REQUIRE(replay.record);
      CHECK(replay.record->response != nullptr);
    }

    disk->is_reserve_used_ = false;
    disk->is_full_ = false;
    support::RunUntil(caller.loop(), [&] { return !caller.records().unavailable_reason(); });
    CHECK(caller.Begin("new", NewClaim()).kind == BeginResult::Kind::kClaimed);
  }
  fixture.Reopen();
  Caller caller(fixture);
  for (const std::string key : {"done", "running"}) {
    CAPTURE(key);
    const auto held = caller.Read(key);
    REQUIRE(held.record);
    CHECK(held.record->state == RecordState::kCompleted);
  }
}

TEST_CASE("a step whose commit failed is an error, and has not happened") {
  EmbeddedFixture fixture;
  fixture.Close();
  const auto disk = std::make_shared<FullDisk>(fixture.path());  // the folder, so no reserve helps
  fixture.env() = rocksdb::NewCompositeEnv(disk);
  fixture.Open();
  {
    Caller caller(fixture);
    const Claim running = NewClaim();
    caller.Begin("running", running);
    disk->is_full_ = true;
    const auto failed = caller.Try<TransitionResult>([&](auto on_answer) {
      return caller.records().Apply(Completion("running", running), std::move(on_answer));
    });
    CHECK_FALSE(failed);
    CHECK(caller.Read("running").record->state == RecordState::kExecuting);
    CHECK(caller.records().unavailable_reason().has_value());

    disk->is_full_ = false;
    support::RunUntil(caller.loop(), [&] { return !caller.records().unavailable_reason(); });
    CHECK(caller.Complete("running", running).kind == TransitionResult::Kind::kDone);
  }
}

TEST_CASE("a start whose clock is behind the newest record goes on from there") {
  EmbeddedFixture fixture;
  const Claim claim = NewClaim();
  StoreTime completed_at;
  {
    Caller caller(fixture);
    caller.Begin("k", claim);
    completed_at = caller.Complete("k", claim).now;
  }
  fixture.Close();
  fixture.calendar().Pass(-hours(24));
  fixture.Open();
  Caller caller(fixture);
  const auto held = caller.Read("k");
  CHECK(held.record.has_value());
  CHECK(held.now >= completed_at);
}

// A look-up counts from the lease's end, and only the calendar shows how long the previous process
// has been gone.
TEST_CASE("a claim of the process before keeps its whole lease from the start on") {
  EmbeddedFixture fixture;
  Claim claim = NewClaim();
  claim.lease = std::chrono::minutes(1);
  {
    Caller caller(fixture);
    caller.Begin("executing", claim);
    caller.Begin("unknown", claim);
    caller.MarkUnknown("unknown", claim);
  }
  fixture.Close();
  fixture.calendar().Pass(std::chrono::minutes(5));
  fixture.Open();
  Caller caller(fixture);
  for (const std::string key : {"executing", "unknown"}) {
    CAPTURE(key);
    const auto held = caller.Read(key);
    REQUIRE(held.record.has_value());
    CHECK(held.record->state == idempotency::RecordState::kUnknown);
    CHECK(held.record->lease_ends_at > held.now + std::chrono::seconds(50));
    CHECK(held.record->lease_ends_at <= held.now + claim.lease);
  }
}

TEST_CASE("an operator's resolve keeps the end of the lease that a restart gave, also afterwards") {
  EmbeddedFixture fixture;
  const Claim claim = NewClaim();
  { Caller(fixture).Begin("k", claim); }
  fixture.Close();
  fixture.calendar().Pass(std::chrono::minutes(5));
  fixture.Open();
  StoreTime end{};
  {
    Caller caller(fixture);
    end = caller.Read("k").record->lease_ends_at;
    REQUIRE(caller.ResolveUnknown("k", claim).kind == TransitionResult::Kind::kDone);
    CHECK(caller.Read("k").record->lease_ends_at == end);
  }
  fixture.Reopen();
  CHECK(Caller(fixture).Read("k").record->lease_ends_at == end);
}

TEST_CASE("a start more than 30 days ahead forgets nothing for an hour") {
  EmbeddedFixture fixture;
  const Claim claim = NewClaim();
  {
    Caller caller(fixture);
    caller.Begin("k", claim);
    caller.Complete("k", claim);
    caller.Begin("expired before", claim);
    caller.Complete("expired before", claim, NewResponse(), milliseconds(1));
    fixture.Pass(milliseconds(10'000));
    const Claim other = NewClaim();
    caller.Begin("stamped", other);
  }
  fixture.Close();
  fixture.calendar().Pass(hours(24 * 365));
  fixture.Open();
  {
    Caller caller(fixture);
    CHECK(caller.Begin("k", NewClaim()).kind == BeginResult::Kind::kHeld);
    CHECK_FALSE(caller.Read("expired before").record.has_value());
    fixture.Pass(milliseconds(hours(1)));
    CHECK_FALSE(caller.Read("k").record.has_value());
  }
}

TEST_CASE("a stop and a start a year apart with records a year long forget nothing") {
  EmbeddedFixture fixture;
  const Claim claim = NewClaim();
  {
    Caller caller(fixture);
    caller.Begin("k", claim);
    caller.Complete("k", claim, NewResponse(), hours(24 * 365));
  }
  fixture.Close();
  fixture.calendar().Pass(hours(24 * 364));
  fixture.Open();
  CHECK(Caller(fixture).Read("k").record.has_value());
}

// Runs under strace; the test below counts its system calls.
TEST_CASE("sixty-four callers at once on the embedded store") {
  constexpr std::size_t kCallers = 64;
  constexpr int kRequests = 10;
  EmbeddedFixture fixture;
  Caller caller(fixture);
  for (int request = 0; request < kRequests; ++request) {
    const auto key = [&](std::size_t i) {
      return "r" + std::to_string(request) + "-" + std::to_string(i);
    };
    std::vector<Claim> claims(kCallers);
    for (Claim& claim : claims) claim = NewClaim();
    for (auto& answer : caller.AwaitAll<BeginResult>(kCallers, [&](std::size_t i, auto on_answer) {
           return caller.records().Begin({key(i), claims[i], {}, {}}, std::move(on_answer));
         })) {
      CHECK(answer.has_value());
    }
    for (auto& answer :
         caller.AwaitAll<TransitionResult>(kCallers, [&](std::size_t i, auto on_answer) {
           return caller.records().Apply(Completion(key(i), claims[i], NewResponse()),
                                         std::move(on_answer));
         })) {
      CHECK(answer.has_value());
    }
  }
}

TEST_CASE("with sixty-four callers at once fdatasync is at most a quarter of the requests") {
  constexpr int kRequests = 640;
  support::TempFolder folder;
  const std::string trace = folder.path() + "/trace";
  auto traced = support::Process::Start(
      {"strace",
       {"-f", "-o", trace, "-e", "trace=fdatasync,fsync",
        std::filesystem::read_symlink("/proc/self/exe").string(),
        "-tc=sixty-four callers at once on the embedded store"},
       {{"ASAN_OPTIONS", "detect_leaks=0"}}});  // LeakSanitizer cannot be traced
  const int exit_code = traced.WaitForExit();
  const std::string written = traced.output() + traced.error_output();
  CAPTURE(written);
  REQUIRE(exit_code == 0);
  std::ifstream lines(trace);
  int syncs = 0;
  for (std::string line; std::getline(lines, line);) {
    syncs += line.find("fdatasync(") != std::string::npos ? 1 : 0;
  }
  CHECK(syncs > 0);
  CHECK(syncs <= kRequests / 4);
}

}  // namespace idem::contract
