#include "proxy/forward/address_directory.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace idem::forward {
namespace {

constexpr Duration kSetAside = std::chrono::seconds(5);

bool Same(const event::SocketAddress& a, const event::SocketAddress& b) {
  return a.size == b.size && std::memcmp(&a.storage, &b.storage, a.size) == 0;
}

}  // namespace

AddressDirectory::AddressDirectory(Loop& loop, event::Resolver& resolver,
                                   std::vector<event::Endpoint> endpoints)
    : loop_(loop), resolver_(resolver) {
  INVARIANT(!endpoints.empty());
  for (event::Endpoint& endpoint : endpoints) {
    ResolvedEndpoint place{
        .endpoint = std::move(endpoint), .literal = false, .addresses = {}, .look_up = {}};
    if (auto literal = event::SocketAddress::FromLiteral(place.endpoint)) {
      place.literal = true;
      place.addresses.push_back(*literal);
    }
    fixed_ = fixed_ && place.literal;
    places_.push_back(std::move(place));
  }
}

Ticket AddressDirectory::LookUp(Function<void(std::monostate)> on_done) {
  INVARIANT(!fixed_);
  auto [ticket, completion] = Ask<std::monostate>(std::move(on_done));
  completions_.push_back(std::move(completion));
  if (open_look_ups_ > 0) return std::move(ticket);  // the look-up under way is recent enough
  for (ResolvedEndpoint& place : places_) {
    if (place.literal) continue;
    ++open_look_ups_;
    place.look_up = resolver_.Resolve(
        loop_, place.endpoint,
        [this, &place](event::Resolver::Answer answer) { OnAnswer(place, std::move(answer)); });
  }
  return std::move(ticket);
}

void AddressDirectory::OnAnswer(ResolvedEndpoint& place, event::Resolver::Answer answer) {
  if (answer) {
    place.addresses = *std::move(answer);
  } else {
    place.addresses.clear();
    look_up_error_ = answer.error().detail;
  }
  if (--open_look_ups_ > 0) return;
  for (auto& completion : std::exchange(completions_, {})) completion({});
}

std::vector<event::SocketAddress> AddressDirectory::Candidates() {
  std::vector<event::SocketAddress> all;
  for (const ResolvedEndpoint& place : places_) {
    all.insert(all.end(), place.addresses.begin(), place.addresses.end());
  }
  if (all.size() < 2) return all;
  std::ranges::rotate(all, all.begin() + static_cast<std::ptrdiff_t>(turn_++ % all.size()));
  ForgetExpired();
  std::ranges::stable_sort(all, {}, [this](const auto& address) { return aside_until(address); });
  return all;
}

void AddressDirectory::ForgetExpired() {
  std::erase_if(aside_,
                [now = loop_.Now()](const CoolingAddress& one) { return one.until <= now; });
}

BootTime AddressDirectory::aside_until(const event::SocketAddress& address) const {
  const auto aside = std::ranges::find_if(
      aside_, [&](const CoolingAddress& one) { return Same(one.address, address); });
  return aside == aside_.end() ? BootTime() : aside->until;
}

void AddressDirectory::SetAside(const event::SocketAddress& address) {
  SetRight(address);
  ForgetExpired();
  aside_.push_back({address, loop_.Now() + kSetAside});
}

void AddressDirectory::SetRight(const event::SocketAddress& address) {
  std::erase_if(aside_, [&](const CoolingAddress& one) { return Same(one.address, address); });
}

}  // namespace idem::forward
