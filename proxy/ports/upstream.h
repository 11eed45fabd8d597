// The backend as an exchange sees it: one request is sent and one response is received, both in
// pieces with back-pressure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace idem::ports {

/// problem_replies.h maps each problem to the answer that the caller gets.
enum class UpstreamProblem : std::uint8_t {
  kUnreachable,  // refused, no route, name not found, TLS failed
  kOverloaded,   // no slot within queue_timeout
  kTimeout,      // connected, but not answered in time
  kReset,        // the connection ended before the response was complete
  kMalformed,    // not HTTP, or framing that two readers could read differently
  kAbandoned,    // OnUpstreamReady() returned false: nothing was sent
};

struct UpstreamFailure {
  UpstreamProblem problem = UpstreamProblem::kUnreachable;
  Delivery delivery = Delivery::kNotSent;  // kNotSent: not one byte of the request was written
  std::string detail;  // for the log only, because it may name the backend's address
};

/// The rules for sending a request.
struct UpstreamTerms {
  /// A claim on a legacy route. It uses an idle connection only if that was idle for less than
  /// claim_idle and has nothing to read; otherwise it opens a new one.
  bool claim = false;
  /// A GET or HEAD without idempotency. It is sent once more on a new connection if an idle one
  /// fails before a response byte.
  bool retry_stale = false;
  bool streamed = false;  // response_timeout counts between reads instead of in total
};

/// Events of a call. They come on the exchange's loop, never from inside a call that it made.
class UpstreamEvents {
 public:
  virtual ~UpstreamEvents() = default;
  /// A connection is ready and the first byte would be sent next. Return false to send nothing: the
  /// call is then over without another event, and the connection is kept.
  virtual bool OnUpstreamReady() = 0;
  /// Called for each 1xx other than 100 and 101.
  virtual void OnUpstreamInterim(const http::ResponseHead& head) = 0;
  virtual void OnUpstreamHead(http::ResponseHead& head) = 0;
  virtual void OnUpstreamBody(std::string_view bytes) = 0;
  virtual void OnUpstreamEnd() = 0;
  /// Called instead of OnUpstreamEnd(), possibly after OnUpstreamHead().
  virtual void OnUpstreamFailure(const UpstreamFailure& failure) = 0;
  /// The kernel has taken the bytes that were given to SendBody().
  virtual void OnUpstreamSent() {}
};

/// One request under way. Destroying it before its end aborts the connection with RST; this is
/// allowed inside its events, and no event follows.
class UpstreamCall {
 public:
  virtual ~UpstreamCall() = default;
  /// Sends more of a streamed body. unsent_bytes() returns how much waits.
  virtual void SendBody(std::string_view bytes) = 0;
  virtual void EndBody() = 0;
  [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;
  virtual void PauseResponse() = 0;
  virtual void ResumeResponse() = 0;
  /// Returns the backend's address in use, or "" before there is one.
  [[nodiscard]] virtual std::string_view address() const = 0;
  /// Whether an orderly end of its connection was announced (the close_notify of TLS). A plain
  /// connection also ends in order when the backend dies in the middle of its response.
  [[nodiscard]] virtual bool announces_close() const { return false; }
};

class Upstream {
 public:
  virtual ~Upstream() = default;
  /// Sends `head`, which is read before this returns; its fields must be complete except for
  /// framing. If `body` is not null it is the whole body, and the caller keeps it alive until the
  /// call ends. If it is null, head.body says whether there is no body or one that is streamed
  /// through SendBody().
  [[nodiscard]] virtual std::unique_ptr<UpstreamCall> Send(const http::RequestHead& head,
                                                           const std::string* body,
                                                           const UpstreamTerms& terms,
                                                           UpstreamEvents& events) = 0;
  /// Returns the sum of all waits that a call may have: queue, look-up, connect, response. A lease
  /// must be longer.
  [[nodiscard]] virtual Duration longest_wait() const = 0;
  /// Returns the longest time that may pass after the first byte was written.
  [[nodiscard]] virtual Duration response_timeout() const = 0;
};

}  // namespace idem::ports
