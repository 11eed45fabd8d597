// The addresses of one upstream as one worker knows them, and which of them are in good health.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/event/address.h"
#include "proxy/event/resolver.h"

namespace idem::forward {

/// Health is passive: an address that refused or did not answer a connect is set aside for five
/// seconds, in which it is tried only after all others. Of several that are aside the one that has
/// been for longest comes first, so that a few attempts for each call get to all of them.
class AddressDirectory {
 public:
  AddressDirectory(Loop& loop, event::Resolver& resolver, std::vector<event::Endpoint> endpoints);

  /// Every endpoint is a literal: there is nothing to look up.
  [[nodiscard]] bool fixed() const { return fixed_; }
  /// Asks for all names. Answered when the last of them is; what is known by then, or before,
  /// Candidates() tells.
  [[nodiscard]] Ticket LookUp(Function<void(std::monostate)> on_done);
  /// Where to try to connect, the best first, starting with another one each time.
  [[nodiscard]] std::vector<event::SocketAddress> Candidates();
  /// Why Candidates() is empty.
  [[nodiscard]] const std::string& look_up_error() const { return look_up_error_; }

  void SetAside(const event::SocketAddress& address);
  void SetRight(const event::SocketAddress& address);

 private:
  struct ResolvedEndpoint {
    event::Endpoint endpoint;
    bool literal = false;
    std::vector<event::SocketAddress> addresses;
    Ticket look_up;
  };
  struct CoolingAddress {
    event::SocketAddress address;
    BootTime until;
  };
  void OnAnswer(ResolvedEndpoint& place, event::Resolver::Answer answer);
  void ForgetExpired();
  /// The epoch where it is not.
  [[nodiscard]] BootTime aside_until(const event::SocketAddress& address) const;

  Loop& loop_;
  event::Resolver& resolver_;
  std::vector<ResolvedEndpoint> places_;
  bool fixed_ = true;
  std::size_t open_look_ups_ = 0;
  std::vector<Completion<std::monostate>> askers_;
  std::vector<CoolingAddress> aside_;
  std::size_t turn_ = 0;
  std::string look_up_error_;
};

}  // namespace idem::forward
