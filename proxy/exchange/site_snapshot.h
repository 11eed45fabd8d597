// One configuration, for the exchanges of one worker. It is immutable: a reload makes another one.
// An exchange keeps the snapshot with which it began, so exchanges share its ownership.
#pragma once

#include <memory>
#include <vector>

#include "proxy/auth/client_credentials.h"
#include "proxy/base/cidr.h"
#include "proxy/exchange/claim/claim_options.h"
#include "proxy/exchange/rules/router.h"
#include "proxy/ports/upstream.h"

namespace idem::exchange {

struct SiteSnapshot {
  Options options;
  Router router{{}};
  auth::Clients clients;
  std::vector<Cidr> trusted_proxies;
  std::vector<std::unique_ptr<ports::Upstream>> upstreams;  // Route::upstream is an index into it
};

}  // namespace idem::exchange
