// What an operator is told by the log of a configuration that is allowed.
#pragma once

#include <vector>

#include "proxy/config/config.h"

namespace idem::app {

/// What is risky in it; at the start and at each reload.
void LogWarnings(const config::Config& config);

/// Once, at the start, where a route asks for `hmac-body` (semantics.md, "Signature").
void LogSignatureCoverage(const std::vector<exchange::Route>& routes);

/// What the embedded store may forget: before the first claim is made, and once its folder is
/// there (semantics.md, "The stores").
void LogDurabilityRisks(const store::StoreOptions& options);

}  // namespace idem::app
