// What only the whole file can tell: what refers to what, leases, and what is allowed but risky.
#pragma once

#include "proxy/config/sections.h"

namespace idem::config {

/// Resolves what is `auto` (leases, shutdown_grace) and checks all that crosses sections.
void CheckWhole(Draft& draft);
/// Adds to draft.warnings; on a draft without mistakes.
void WarnOfRisks(Draft& draft);

/// The shortest lease that covers every wait that an execution on this upstream may have.
[[nodiscard]] milliseconds AutoLease(const Config& config, const forward::UpstreamOptions& upstream,
                                     milliseconds record_timeout);

/// Whether only this machine can reach it.
[[nodiscard]] bool IsLoopback(const event::Endpoint& endpoint);

/// At the value that `keys` lead to below `node`, or at the last one on the way that is there.
void AddErrorAt(const Node& node, std::initializer_list<std::string_view> keys, std::string what,
                ConfigErrors& mistakes);

}  // namespace idem::config
