#include "tests/chaos/effect_ledger.h"

#include <algorithm>

namespace idem::chaos {

void Ledger::Forwarded(std::size_t proxy, std::string_view key) {
  const std::lock_guard lock(mutex_);
  pages_[std::string(key)].sent.push_back({proxy, Clock::now()});
  ++forwards_[proxy];
  forwarded_.notify_all();
}

bool Ledger::WaitForForward(const ProxySet& proxies, Milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto count = [&] {
    std::uint64_t sum = 0;
    for (const std::size_t proxy : proxies) sum += forwards_[proxy];
    return sum;
  };
  const std::uint64_t before = count();
  return forwarded_.wait_for(lock, patience, [&] { return count() != before; });
}

void Ledger::Executed(std::size_t proxy, const std::string& key, int status,
                      const std::string& answer, const std::string& body, bool unrecorded,
                      Moment asked_at) {
  const std::lock_guard lock(mutex_);
  Page& page = pages_[key];
  if (status == 201) page.acknowledged = body;
  unrecorded ? ++unrecorded_ : static_cast<std::size_t>(++page.answers[answer]);
  const Moment now = Clock::now();
  std::erase_if(recovering_, [&](const FaultSpan& fault) {
    const bool recovered = asked_at >= fault.end && fault.proxies.contains(proxy);
    if (recovered) {
      recoveries_[fault.kind].times.push_back(
          std::chrono::duration_cast<Milliseconds>(now - fault.end));
    }
    return recovered;
  });
}

void Ledger::Unknown(const std::string& key) { Locked(this)->pages_[key].unknown = true; }

void Ledger::Unexpected(const std::string& key, const std::string& what) {
  Locked(this)->unexpected_.push_back(key + ": " + what);
}

void Ledger::Mended(FaultSpan span) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(span);
  ++recoveries_[span.kind].count;
  recovering_.push_back(std::move(span));
}

std::vector<std::string> Ledger::keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& [key, page] : pages_) keys.push_back(key);
  return keys;
}

std::size_t Ledger::open_keys() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(
      pages_.begin(), pages_.end(), [](const auto& each) { return each.second.answers.empty(); }));
}

bool Ledger::MetFault(const Page& page) const {
  return std::any_of(page.sent.begin(), page.sent.end(), [&](const Sent& sent) {
    return std::any_of(faults_.begin(), faults_.end(), [&](const FaultSpan& fault) {
      return fault.touches_claims && fault.proxies.contains(sent.proxy) &&
             fault.begin < sent.at + backend_delay_ && sent.at < fault.end;
    });
  });
}

Verdict Ledger::Audit(const Effects& effects) const {
  const std::lock_guard lock(mutex_);
  Verdict verdict;
  verdict.requests = requests_;
  verdict.unrecorded = unrecorded_;
  verdict.keys = pages_.size();
  for (const auto& [key, page] : pages_) AuditKey(key, page, effects, verdict);
  for (const auto& [key, rows] : effects) {
    if (!pages_.contains(key)) verdict.words.push_back(key + ": an effect that nobody asked for");
  }
  verdict.unexpected = unexpected_.size() + verdict.words.size() - verdict.executed_twice -
                       verdict.answers_differ - verdict.acknowledged_lost;
  verdict.words.insert(verdict.words.end(), unexpected_.begin(), unexpected_.end());
  return verdict;
}

void Ledger::AuditKey(const std::string& key, const Page& page, const Effects& effects,
                      Verdict& verdict) const {
  verdict.forwarded += page.sent.size();
  if (page.unknown) ++verdict.keys_unknown;
  if (MetFault(page)) ++verdict.keys_met;
  const auto found = effects.find(key);
  const std::size_t rows = found == effects.end() ? 0 : found->second.size();
  if (rows > 1) {
    ++verdict.executed_twice;
    verdict.words.push_back(key + ": " + std::to_string(rows) + " effects");
  }
  if (page.answers.size() > 1) {
    ++verdict.answers_differ;
    std::string word = key + ": different answers";
    for (const auto& [answer, count] : page.answers) {
      word += "\n  " + std::to_string(count) + " times: " + answer;
    }
    verdict.words.push_back(word);
  }
  if (page.acknowledged.empty()) return;
  const bool is_there =
      rows > 0 && page.acknowledged.find(found->second.front()) != std::string::npos;
  if (!is_there && rows <= 1) {
    ++verdict.acknowledged_lost;
    verdict.words.push_back(key + ": acknowledged, but not there: " + page.acknowledged);
  }
}

std::map<std::string, Ledger::Recovery> Ledger::Recoveries() const {
  const std::lock_guard lock(mutex_);
  auto recoveries = recoveries_;
  for (auto& [kind, recovery] : recoveries) std::sort(recovery.times.begin(), recovery.times.end());
  return recoveries;
}

}  // namespace idem::chaos
