// The embedded store on files that were damaged after they had been synced: it reports everything
// that it forgets.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>

#include "proxy/store/embedded/embedded_store.h"
#include "tests/contract/samples.h"
#include "tests/contract/store_caller.h"
#include "tests/contract/store_fixtures.h"
#include "tests/support/process.h"
#include "tests/support/seeded_random.h"
#include "tests/support/temp_folder.h"

namespace idem::contract {

using idempotency::Claim;
using ports::BeginResult;
using ports::TransitionResult;
using store::Durability;
using store::EmbeddedStore;

namespace {

using Opened = Result<std::unique_ptr<EmbeddedStore>>;

/// A closed store whose records are all still in its log, and copies of it to damage.
class DamagedStore {
 public:
  explicit DamagedStore(std::uint64_t seed) : random_(seed) {
    Opened opened = Open(whole(), Durability::kFsync);
    REQUIRE(opened.has_value());
    Clients clients(**opened);
    Caller caller(clients);
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = "k-" + std::to_string(i);
      const Claim claim = NewClaim();
      REQUIRE(caller.Begin(key, claim).kind == BeginResult::Kind::kClaimed);
      if (i % 4 == 0) {
        bodies_[key] = "";
        continue;
      }
      // Mixes small bodies with some that take more than one block of the log.
      bodies_[key] = std::string(1 + random_.Next() % (i % 3 == 0 ? 90'000 : 900), 'x');
      caller.Complete(key, claim, NewResponse(bodies_[key]));
    }
  }

  /// A start writes the records of the log into a table.
  void ToPlainDecimal() { REQUIRE(Open(whole(), Durability::kFsync).has_value()); }

  /// Makes a fresh copy and lets `damage` change the bytes of its file that ends in `extension`.
  template <class Damage>
  void Copy(const std::string& extension, Damage damage) {
    std::filesystem::remove_all(copy());
    std::filesystem::remove(whole() + "/reserve");  // large, and recreated at a start
    std::filesystem::copy(whole(), copy(), std::filesystem::copy_options::recursive);
    for (const auto& entry : std::filesystem::directory_iterator(copy() + "/records")) {
      if (entry.path().extension() == extension) file_ = entry.path().string();
    }
    std::ifstream in(file_, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    damage(bytes);
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << bytes;
  }

  [[nodiscard]] Opened OpenCopy(Durability durability = Durability::kFsync) const {
    return Open(copy(), durability);
  }
  struct Count {
    int lost = 0;    // missing or different from the acknowledged record
    int errors = 0;  // unreadable
  };
  /// Counts over all keys.
  Count CountKeys(EmbeddedStore& store) const {
    Clients clients(store);
    Caller caller(clients);
    Count count;
    for (const auto& [key, body] : bodies_) {
      const auto seen = caller.Try<ports::ReadResult>([&, of = key](auto on_answer) {
        return caller.records().Read(of, std::move(on_answer));
      });
      if (!seen) {
        ++count.errors;
        continue;
      }
      const auto& record = seen->record;
      const bool kept = record && (record->response != nullptr) == !body.empty() &&
                        (body.empty() || record->response->body == body);
      count.lost += kept ? 0 : 1;
    }
    return count;
  }
  /// Returns the damaged file.
  [[nodiscard]] const std::string& file() const { return file_; }
  support::SeededRandom& random() { return random_; }

 private:
  static constexpr int kKeys = 60;

  struct Clients {
    explicit Clients(EmbeddedStore& of) : store(of) {}
    std::unique_ptr<StoreClient> Connect(event::EventLoop& loop) {
      return std::make_unique<StoreClientOf<store::EmbeddedStoreClient>>(store, loop);
    }
    EmbeddedStore& store;
  };

  static Opened Open(const std::string& path, Durability durability) {
    store::StoreOptions options;
    options.path = path;
    options.durability = durability;
    return EmbeddedStore::Open(options);
  }
  [[nodiscard]] std::string whole() const { return folder_.path() + "/whole"; }
  [[nodiscard]] std::string copy() const { return folder_.path() + "/copy"; }

  support::TempFolder folder_;
  support::SeededRandom random_;
  std::map<std::string, std::string> bodies_;  // "" is a claim that was not completed
  std::string file_;
};

std::uint64_t Seed() {
  const char* given = std::getenv("IDEM_TEST_SEED");
  return given != nullptr ? std::stoull(given) : std::random_device()();
}

}  // namespace

TEST_CASE("a log that was damaged after its sync is refused, or nothing of it is forgotten") {
  const std::uint64_t seed = Seed();
  MESSAGE("IDEM_TEST_SEED=" << seed);
  DamagedStore store(seed);
  constexpr int kDamages = support::kSanitized ? 15 : 80;
  // The size of the store's last record at its end. If the end of a log is gone, no byte shows that
  // there was more.
  constexpr std::size_t kLastCommitMax = 64;
  int refused = 0;
  for (int i = 0; i < kDamages; ++i) {
    std::size_t at = 0;
    std::size_t count = 0;
    store.Copy(".log", [&](std::string& log) {
      const std::size_t end = log.size() - kLastCommitMax;
      at = store.random().Next() % end;
      if (i % 2 == 0) {  // a flipped bit, or a part of the disk that reads as zeros
        count = 1;
        log[at] = static_cast<char>(log[at] ^ (1 << store.random().Next() % 8));
      } else {
        at = at / 512 * 512;
        count = std::min<std::size_t>(end - at, 512 << store.random().Next() % 7);
        log.replace(at, count, count, '\0');
      }
    });
    CAPTURE(at);
    CAPTURE(count);
    auto opened = store.OpenCopy();
    if (opened) {
      CHECK(store.CountKeys(**opened).lost == 0);
      continue;
    }
    ++refused;
    CHECK(opened.error().code == ErrorCode::kCorrupt);
    CHECK(opened.error().detail.find(store.file()) != std::string::npos);
  }
  MESSAGE(refused << " of " << kDamages << " were refused");
  CHECK(refused > 0);
}

TEST_CASE("a damaged log is given up only by a start with durability os, and once") {
  DamagedStore store(1);
  store.Copy(".log", [](std::string& log) {
    log[log.size() / 2] = static_cast<char>(~log[log.size() / 2]);
  });
  const auto refused = store.OpenCopy();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().detail.find("store.durability: os") != std::string::npos);
  const auto again = store.OpenCopy();
  REQUIRE_FALSE(again.has_value());  // the first attempt changed nothing
  CHECK(again.error().detail == refused.error().detail);

  int lost = 0;
  {
    auto given_up = store.OpenCopy(Durability::kOs);
    REQUIRE(given_up.has_value());
    lost = store.CountKeys(**given_up).lost;
    CHECK(lost > 0);
  }
  auto opened = store.OpenCopy();
  REQUIRE(opened.has_value());
  CHECK(store.CountKeys(**opened).lost == lost);
}

TEST_CASE("a table that was damaged makes errors of its keys, and none is taken for a new one") {
  const std::uint64_t seed = Seed();
  MESSAGE("IDEM_TEST_SEED=" << seed);
  DamagedStore store(seed);
  store.ToPlainDecimal();
  constexpr int kDamages = support::kSanitized ? 5 : 30;
  int seen = 0;
  for (int i = 0; i < kDamages; ++i) {
    std::size_t at = 0;
    store.Copy(".sst", [&](std::string& table) {
      at = store.random().Next() % table.size();
      table[at] = static_cast<char>(table[at] ^ (1 << store.random().Next() % 8));
    });
    CAPTURE(at);
    auto opened = store.OpenCopy();
    if (!opened) {
      ++seen;
      CHECK(opened.error().code == ErrorCode::kCorrupt);
      continue;
    }
    const auto count = store.CountKeys(**opened);
    CHECK(count.lost == 0);
    seen += count.errors > 0 ? 1 : 0;
  }
  MESSAGE(seen << " of " << kDamages << " were seen");
  CHECK(seen > 0);
}

}  // namespace idem::contract
