// An operator's settings for one upstream (docs/configuration.md, `upstreams`), with their
// defaults.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/event/address.h"
#include "proxy/event/tls.h"

namespace idem::forward {

/// The TLS settings of an `https://` backend. An empty name is not set.
struct UpstreamTls {
  std::string ca = "/etc/ssl/certs/ca-certificates.crt";  // a PEM file
  // A PEM file with the proxy's own chain, for a backend that requires a client certificate.
  std::string certificate;
  std::string key;  // its private key
  // For SNI and the check of the certificate's name; if empty, the URL's host.
  std::string server_name;
  bool verify = true;
  /// Made from the files above by UseTls(), so that the checked files are the ones in use. The
  /// workers share it with calls that still run under an earlier configuration.
  std::shared_ptr<const event::TlsContext> context;

  bool operator==(const UpstreamTls&) const = default;
};

struct UpstreamOptions {
  std::string name;  // for the log: the name under `upstreams`, or the URL
  /// One or more addresses or names; a name may resolve to several addresses. A request goes to any
  /// of them and may be moved to the next before its first byte is sent.
  std::vector<event::Endpoint> endpoints;
  std::optional<UpstreamTls> tls;  // nullopt for plain HTTP

  // For one attempt; the name look-up has the same limit.
  Duration connect_timeout = std::chrono::seconds(2);
  /// From the first request byte written to the last response byte. On streamed routes, between two
  /// reads.
  Duration response_timeout = std::chrono::seconds(30);
  // A claim on a legacy route uses no connection that was idle for longer.
  Duration claim_idle = std::chrono::seconds(1);
  std::size_t keepalive = 64;  // idle connections kept by each worker
  Duration idle_timeout = std::chrono::seconds(15);
  // Calls under way in the whole process; further calls wait in a queue.
  std::size_t max_in_flight = 1024;
  Duration queue_timeout = std::chrono::seconds(1);

  bool operator==(const UpstreamOptions&) const = default;
};

/// Reads the files and sets `context`. An error names the file and its fault.
[[nodiscard]] Status UseTls(UpstreamTls& tls);

/// The maximum number of connection attempts of a call. Each goes to another address if there is
/// one.
inline constexpr int kConnectAttemptsMax = 3;

/// Returns the sum of all waits that a call may have, each at its longest: the queue, the look-up
/// (of names only), the connection attempts, the response. A lease must be longer.
[[nodiscard]] Duration LongestWait(const UpstreamOptions& options);

}  // namespace idem::forward
