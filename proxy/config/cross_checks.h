// Checks that need the whole file: references, leases, and risky settings.
#pragma once

#include "proxy/config/sections.h"

namespace idem::config {

/// Resolves `auto` (leases, shutdown_grace) and checks everything that spans several sections.
void CheckWhole(Draft& draft);
/// Adds to draft.warnings. Requires a draft without errors.
void WarnOfRisks(Draft& draft);

/// Returns idempotency::RequiredLease() for an execution on this upstream.
[[nodiscard]] milliseconds AutoLease(const Config& config, const forward::UpstreamOptions& upstream,
                                     milliseconds record_timeout);

/// Returns true if only this machine can reach the endpoint.
[[nodiscard]] bool IsLoopback(const event::Endpoint& endpoint);

/// Adds an error at the value that `keys` lead to below `node`, or at the last node on the way that
/// exists.
void AddErrorAt(const Node& node, std::initializer_list<std::string_view> keys, std::string what,
                ConfigErrors& mistakes);

}  // namespace idem::config
