// The checks that need the whole configuration: references between sections, leases, and risks.
#pragma once

#include "proxy/config/sections.h"

namespace idem::config {

/// Computes the `auto` values (leases, shutdown_grace) and checks whatever crosses sections.
void CheckWhole(Draft& draft);
/// Adds to draft.warnings. Requires a draft without mistakes.
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
