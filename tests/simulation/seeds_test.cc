// The seeded simulation: many worlds, each from its own seed (docs/contributing.md, "The seeded
// simulation").
//
//   IDEM_SIMULATION_SEEDS=100000    how many worlds; from 50000 on every row must be met
//   IDEM_SIMULATION_FIRST=10000000  from which seed on, for worlds that no run before has made
//   IDEM_SIMULATION_SEED=4711       that one alone, with everything that happens in it
#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <sstream>
#include <thread>

#include "proxy/base/log.h"
#include "tests/simulation/simulated_world.h"

namespace idem::simulation {

namespace {

constexpr std::uint64_t kSeedsDefault = 4000;
constexpr std::uint64_t kSeedsForAllRows = 50'000;  // some rows are met once in thousands
constexpr std::uint64_t kFirstSeedDefault = 1;

std::optional<std::uint64_t> FromEnvironment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

thread_local std::uint64_t current_seed = 0;

// A violated invariant of the product ends the program, so this prints the world's seed.
void TellSeed(int signal) {
  char text[80];
  const int size = std::snprintf(text, sizeof text, "in the world of IDEM_SIMULATION_SEED=%llu\n",
                                 static_cast<unsigned long long>(current_seed));
  static_cast<void>(!write(STDERR_FILENO, text, static_cast<std::size_t>(size)));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

class AbortsTellTheSeed {
 public:
  AbortsTellTheSeed() : before_(std::signal(SIGABRT, TellSeed)) {}
  ~AbortsTellTheSeed() { std::signal(SIGABRT, before_); }

 private:
  void (*before_)(int);
};

std::optional<std::string> RunWorld(std::uint64_t seed, Coverage& coverage,
                                    telemetry::Metrics& metrics, std::ostream* trace) {
  current_seed = seed;
  SimulatedWorld world(seed, coverage, metrics, trace);
  return world.Run();
}

struct Failure {
  std::uint64_t seed = 0;
  std::string verdict;
};

// Runs all seeds from the first, on every core. The failure with the lowest seed counts, whichever
// thread met it, so that every run reports the same.
class Run {
 public:
  Run(std::uint64_t first, std::uint64_t seeds) : next_(first), end_(first + seeds) {
    std::vector<std::thread> threads;
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < cores; ++i) threads.emplace_back([this] { Work(); });
    for (std::thread& thread : threads) thread.join();
  }

  [[nodiscard]] const Coverage& coverage() const { return coverage_; }
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }

 private:
  void Work() {
    Coverage coverage;
    telemetry::Metrics metrics;
    while (true) {
      const std::uint64_t seed = next_++;
      if (seed >= end_) break;
      if (auto verdict = RunWorld(seed, coverage, metrics, nullptr)) {
        const std::lock_guard lock(mutex_);
        if (!failure_ || seed < failure_->seed) failure_ = Failure{seed, std::move(*verdict)};
        std::uint64_t end = end_;
        while (seed < end && !end_.compare_exchange_weak(end, seed)) continue;
      }
    }
    const std::lock_guard lock(mutex_);
    coverage_.Add(coverage);
  }

  std::atomic<std::uint64_t> next_;
  std::atomic<std::uint64_t> end_;
  std::mutex mutex_;
  Coverage coverage_;
  std::optional<Failure> failure_;
};

void Replay(std::uint64_t seed) {
  Coverage coverage;
  telemetry::Metrics metrics;
  const auto verdict = RunWorld(seed, coverage, metrics, &std::cout);
  std::cout.flush();
  if (verdict) FAIL("auditor: " << *verdict << " (IDEM_SIMULATION_SEED=" << seed << ")");
}

}  // namespace

TEST_CASE("no seeded world makes an effect twice, and none answers one key in two ways") {
  log::Configure({.level = log::Level::kNone});
  const AbortsTellTheSeed tells;
  if (const auto seed = FromEnvironment("IDEM_SIMULATION_SEED")) return Replay(*seed);
  const std::uint64_t seeds = FromEnvironment("IDEM_SIMULATION_SEEDS").value_or(kSeedsDefault);
  const std::uint64_t first = FromEnvironment("IDEM_SIMULATION_FIRST").value_or(kFirstSeedDefault);
  const Run run(first, seeds);
  if (const auto& failure = run.failure()) {
    std::cout << "auditor: " << failure->verdict << " (IDEM_SIMULATION_SEED=" << failure->seed
              << ")\n";
    Replay(failure->seed);
    FAIL("the world of seed " << failure->seed << " did not repeat itself");
  }
  run.coverage().Print(std::cout);
  std::cout.flush();
  if (seeds < kSeedsForAllRows) return;
  CHECK(run.coverage().zeros() == 0);
  CHECK_FALSE(run.coverage().excuses_too_much());
}

TEST_CASE("a seed makes the same world each time") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Coverage coverage;
    telemetry::Metrics metrics;
    std::ostringstream first;
    std::ostringstream second;
    CHECK(!RunWorld(seed, coverage, metrics, &first));
    CHECK(!RunWorld(seed, coverage, metrics, &second));
    CHECK(first.str() == second.str());
  }
}

}  // namespace idem::simulation
