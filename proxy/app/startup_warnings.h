// Log warnings about a valid but risky configuration.
#pragma once

#include <vector>

#include "proxy/config/config.h"

namespace idem::app {

/// Logs the warnings of the configuration. Called at the start and at each reload.
void LogWarnings(const config::Config& config);

/// Logs what the signature schemes of the routes do not cover (semantics.md, "Signature"). Called
/// once, at the start.
void LogSignatureCoverage(const std::vector<exchange::Route>& routes);

/// Logs how the embedded store may lose records (semantics.md, "The stores"). Called when the
/// store's folder exists, before the first claim.
void LogDurabilityRisks(const store::StoreOptions& options);

}  // namespace idem::app
