// The addresses of one upstream that one worker has resolved, with their health.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/event/address.h"
#include "proxy/event/resolver.h"

namespace idem::forward {

/// Health is passive. An address that refused a connect or did not answer it is set aside for five
/// seconds; then it is tried only after all others. Among addresses set aside, the one set aside
/// longest is tried first, so that a few attempts of each call reach all of them.
class AddressDirectory {
 public:
  AddressDirectory(Loop& loop, event::Resolver& resolver, std::vector<event::Endpoint> endpoints);

  /// Returns true if every endpoint is an IP address, so that no look-up is needed.
  [[nodiscard]] bool fixed() const { return fixed_; }
  /// Looks up all names. The answer comes when the last look-up has ended; Candidates() returns the
  /// addresses that are resolved by then, or before.
  [[nodiscard]] Ticket LookUp(Function<void(std::monostate)> on_done);
  /// Returns the addresses to connect to, the best first. Each call starts with another one.
  [[nodiscard]] std::vector<event::SocketAddress> Candidates();
  /// Returns the reason why Candidates() is empty.
  [[nodiscard]] const std::string& look_up_error() const { return look_up_error_; }

  /// Sets an address aside after a connect that was refused or not answered.
  void SetAside(const event::SocketAddress& address);
  /// Puts an address back among the others after a successful connect.
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
  /// Returns the end of the time for which `address` is set aside, or the epoch if it is not.
  [[nodiscard]] BootTime aside_until(const event::SocketAddress& address) const;

  Loop& loop_;
  event::Resolver& resolver_;
  std::vector<ResolvedEndpoint> places_;
  bool fixed_ = true;
  std::size_t open_look_ups_ = 0;
  std::vector<Completion<std::monostate>> completions_;
  std::vector<CoolingAddress> aside_;
  std::size_t turn_ = 0;
  std::string look_up_error_;
};

}  // namespace idem::forward
