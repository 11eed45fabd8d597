// The usual start of a simulation: one proxy with one route on a fresh store.
#pragma once

#include "tests/support/virtual_proxy.h"

namespace idem::simulation {

using support::FakeStoreState;
using support::FakeUpstream;
using support::VirtualLoop;
using support::VirtualProxy;

inline idempotency::Policy Legacy() {
  idempotency::Policy policy;
  policy.lease = std::chrono::seconds(45);
  return policy;
}

inline idempotency::Policy Idempotent() {
  auto policy = Legacy();
  policy.upstream_idempotent = true;
  return policy;
}

struct World {
  explicit World(const idempotency::Policy& policy = Legacy()) { proxy.Serve(policy); }
  FakeUpstream::Call& call(std::size_t index) { return *proxy.upstream->calls.at(index); }
  /// Uses the same route without a key, so that it streams.
  void Stream() {
    proxy.Serve(Legacy(),
                [](exchange::Route& route, exchange::SiteSnapshot&) { route.idempotency.reset(); });
  }
  /// Uses the same route with a rate limit.
  void Limit(const exchange::RateLimitOptions& options,
             const idempotency::Policy& policy = Legacy()) {
    proxy.Serve(policy, [&](exchange::Route& route, exchange::SiteSnapshot&) {
      route.rate_limit = options;
    });
  }

  VirtualLoop loop;
  FakeStoreState state;
  VirtualProxy proxy{loop, state};
};

}  // namespace idem::simulation
