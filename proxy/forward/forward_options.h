// What an operator says about one upstream (docs/configuration.md, `upstreams`), with its defaults.
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

/// How the backend is spoken to over TLS (`https://`). Empty names are "not set".
struct UpstreamTls {
  std::string ca = "/etc/ssl/certs/ca-certificates.crt";  // a PEM file
  std::string certificate;  // a PEM file with our own chain, for a backend that asks for one
  std::string key;          // its private key
  std::string server_name;  // for SNI and the check of the name; "" takes the URL's host
  bool verify = true;
  /// Made of the above by UseTls(), so that the files which were checked are those in use. Shared
  /// by the workers, and with what still runs under an earlier configuration.
  std::shared_ptr<const event::TlsContext> context;

  bool operator==(const UpstreamTls&) const = default;
};

struct UpstreamOptions {
  std::string name;  // for the log: the name under `upstreams`, or the URL
  /// Where it is: one or several addresses, literals or names, of which each may stand for several
  /// more. A request goes to any of them; before its first byte it may be moved to the next.
  std::vector<event::Endpoint> endpoints;
  std::optional<UpstreamTls> tls;  // nullopt: plain http

  Duration connect_timeout = std::chrono::seconds(2);  // one attempt; also bounds the name look-up
  /// From the first request byte written to the last response byte; on streamed routes, between
  /// two reads.
  Duration response_timeout = std::chrono::seconds(30);
  Duration claim_idle = std::chrono::seconds(1);  // a claim on a legacy route takes no connection
                                                  // that was idle for longer
  std::size_t keepalive = 64;                     // idle connections kept per worker
  Duration idle_timeout = std::chrono::seconds(15);
  std::size_t max_in_flight = 1024;  // calls of the whole process; more wait in a queue
  Duration queue_timeout = std::chrono::seconds(1);

  bool operator==(const UpstreamOptions&) const = default;
};

/// Reads the files and sets `context`. An error names the file and says what is wrong with it.
[[nodiscard]] Status UseTls(UpstreamTls& tls);

/// How many connections a call tries to make, each at another address where there is one.
inline constexpr int kConnectAttemptsMax = 3;

/// Every wait that a call may have, each at its longest: the queue, the look-up (of names only),
/// the connection attempts, the response. What a lease must cover.
[[nodiscard]] Duration LongestWait(const UpstreamOptions& options);

}  // namespace idem::forward
