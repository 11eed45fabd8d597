#include "proxy/event/resolver.h"

#include <netdb.h>
#include <netinet/in.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

namespace idem::event {
namespace {

using Addresses = std::vector<SocketAddress>;

constexpr Duration kUsableWhenFailing = std::chrono::minutes(5);
constexpr std::size_t kNamesMax = 1024;
constexpr std::size_t kWaitingMax = 64;

/// Calls getaddrinfo(), which blocks as long as the system's resolver needs.
Result<Addresses> LookUp(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(name.c_str(), nullptr, &hints, &list); error != 0) {
    return Error{.code = ErrorCode::kUnavailable,
                 .detail = "cannot resolve '" + name + "': " + gai_strerror(error)};
  }
  Addresses addresses;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(list);
  return addresses;
}

Addresses WithPort(Addresses addresses, std::uint16_t port) {
  for (SocketAddress& address : addresses) {
    // The port has the same offset in both structures.
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
  }
  return addresses;
}

}  // namespace

struct Resolver::Impl {
  explicit Impl(Options wanted) : options(std::move(wanted)) {
    if (!options.look_up) options.look_up = LookUp;
  }

  /// Withdraw() waits while an answer is being posted, so that a loop may be destroyed once its
  /// callers have withdrawn.
  struct Question final : ticket_internal::QuestionOf<Answer> {
    Question(Impl& resolver, Function<void(Answer)> on_answer)
        : QuestionOf(std::move(on_answer)), impl(resolver) {
      owners.store(2, std::memory_order_relaxed);
    }
    void Withdraw() override {
      const std::lock_guard lock(impl.mutex);
      QuestionOf::Withdraw();
    }
    Impl& impl;
  };
  struct Waiting {
    Loop* loop;
    std::uint16_t port;
    Completion<Answer> completion;
  };
  struct Name {
    Addresses addresses;  // empty: never resolved
    BootTime resolved_at;
    bool queued = false;  // a look-up is due or under way
    std::vector<Waiting> waiting;
  };

  void Run();
  void Store(Name& name, Result<Addresses> found);
  void Enqueue(const std::string& host, Name& name);
  bool MakeRoom();
  static void Deliver(Waiting& asked, Answer answer);

  Options options;
  std::mutex mutex;  // all below
  std::condition_variable work;
  std::unordered_map<std::string, Name> names;
  std::deque<std::string> queue;
  std::size_t waiting = 0;
  bool stopped = false;
  std::thread thread;
};

void Resolver::Impl::Run() {
  std::unique_lock lock(mutex);
  while (true) {
    work.wait(lock, [this] { return stopped || !queue.empty(); });
    if (stopped) return;
    const std::string host = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    auto found = options.look_up(host);
    lock.lock();
    if (stopped) return;
    Store(names.at(host), std::move(found));
  }
}

void Resolver::Impl::Store(Name& name, Result<Addresses> found) {
  const BootTime now = BootClock::now();
  name.queued = false;
  if (found) {
    name.addresses = *found;
    name.resolved_at = now;
  }
  const bool usable = !name.addresses.empty() && now - name.resolved_at < kUsableWhenFailing;
  for (Waiting& asked : std::exchange(name.waiting, {})) {
    --waiting;
    Deliver(asked, usable ? Answer(WithPort(name.addresses, asked.port)) : Answer(found.error()));
  }
}

/// Requires the lock: see Question.
void Resolver::Impl::Deliver(Waiting& asked, Answer answer) {
  if (!asked.completion.awaited()) return;
  asked.loop->Post([completion = std::move(asked.completion),
                    answer = std::move(answer)]() mutable { completion(std::move(answer)); });
}

void Resolver::Impl::Enqueue(const std::string& host, Name& name) {
  if (std::exchange(name.queued, true)) return;
  queue.push_back(host);
  work.notify_one();
}

/// Removes the oldest answer without waiting callers. Returns false if there is none.
bool Resolver::Impl::MakeRoom() {
  if (names.size() < kNamesMax) return true;
  auto oldest = names.end();
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (name->second.queued) continue;
    if (oldest == names.end() || name->second.resolved_at < oldest->second.resolved_at) {
      oldest = name;
    }
  }
  if (oldest == names.end()) return false;
  names.erase(oldest);
  return true;
}

Resolver::Resolver(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->Run(); });
}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopped = true;
  }
  impl_->work.notify_one();
  impl_->thread.join();
}

Ticket Resolver::Resolve(Loop& loop, const Endpoint& endpoint, Function<void(Answer)> on_answer) {
  auto* question = new Impl::Question(*impl_, std::move(on_answer));
  Ticket ticket(question);
  Impl::Waiting asked{&loop, endpoint.port, Completion<Answer>(question)};
  if (auto literal = SocketAddress::FromLiteral(endpoint)) {
    Impl::Deliver(asked, Addresses{*literal});
    return ticket;
  }

  const std::lock_guard lock(impl_->mutex);
  const bool known = impl_->names.contains(endpoint.host);
  if (impl_->waiting >= kWaitingMax || (!known && !impl_->MakeRoom())) {
    Impl::Deliver(asked, Error{.code = ErrorCode::kUnavailable,
                               .detail = "too many name look-ups wait for the system's resolver"});
    return ticket;
  }
  Impl::Name& name = impl_->names[endpoint.host];
  const Duration age = BootClock::now() - name.resolved_at;
  if (name.addresses.empty() || age >= impl_->options.fresh) {
    ++impl_->waiting;
    name.waiting.push_back(std::move(asked));
    impl_->Enqueue(endpoint.host, name);
    return ticket;
  }
  if (age >= impl_->options.fresh / 2) impl_->Enqueue(endpoint.host, name);
  Impl::Deliver(asked, WithPort(name.addresses, endpoint.port));
  return ticket;
}

}  // namespace idem::event
