// The backend as an exchange sees it: one request sent, one response received, both in pieces with
// back-pressure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace idem::ports {

/// problem_replies.h says what a caller is told of each.
enum class UpstreamProblem : std::uint8_t {
  kUnreachable,  // refused, no route, name not found, TLS failed
  kOverloaded,   // no slot within queue_timeout
  kTimeout,      // connected, but not answered in time
  kReset,        // the connection ended before the response was complete
  kMalformed,    // not HTTP, or framing that two readers could read differently
  kAbandoned,    // OnUpstreamReady() said no: nothing was sent
};

struct UpstreamFailure {
  UpstreamProblem problem = UpstreamProblem::kUnreachable;
  Delivery delivery = Delivery::kNotSent;  // kNo: not one byte of the request was written
  std::string detail;  // for the log; may name the backend's address, so never for a caller
};

/// How a request may be sent.
struct UpstreamTerms {
  /// A claim on a legacy route: only a connection idle for less than claim_idle with nothing to
  /// read, else a new one.
  bool claim = false;
  /// GET and HEAD without idempotency: once more on a fresh connection when a kept one turns out
  /// dead before a response byte.
  bool retry_stale = false;
  bool streamed = false;  // response_timeout counts between reads instead of in total
};

/// Told to the exchange, on its loop, never from inside a call it made.
class UpstreamEvents {
 public:
  virtual ~UpstreamEvents() = default;
  /// A connection is ready, and the next thing to happen is the first byte. false: do not send; the
  /// call is over without another event, and the connection is kept.
  virtual bool OnUpstreamReady() = 0;
  /// 1xx other than 100 and 101.
  virtual void OnUpstreamInterim(const http::ResponseHead& head) = 0;
  virtual void OnUpstreamHead(http::ResponseHead& head) = 0;
  virtual void OnUpstreamBody(std::string_view bytes) = 0;
  virtual void OnUpstreamEnd() = 0;
  /// Instead of OnUpstreamEnd(). After OnUpstreamHead() too.
  virtual void OnUpstreamFailure(const UpstreamFailure& failure) = 0;
  /// What was given to SendBody() has been taken by the kernel.
  virtual void OnUpstreamSent() {}
};

/// One request under way. Dropping it before its end aborts the connection (RST), not closes it;
/// that may be done inside any of its events, and is the end of them.
class UpstreamCall {
 public:
  virtual ~UpstreamCall() = default;
  /// More of a body that was announced as streamed; unsent_bytes() says how much waits.
  virtual void SendBody(std::string_view bytes) = 0;
  virtual void EndBody() = 0;
  [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;
  virtual void PauseResponse() = 0;
  virtual void ResumeResponse() = 0;
  /// The backend's address that was used, "" before one was.
  [[nodiscard]] virtual std::string_view address() const = 0;
  /// Whether an orderly end of its connection was announced (the close_notify of TLS). A plain
  /// connection also ends in order when the backend dies in the middle of its response.
  [[nodiscard]] virtual bool announces_close() const { return false; }
};

class Upstream {
 public:
  virtual ~Upstream() = default;
  /// Sends `head` as it is (its fields are ready for the wire but for framing); it is read before
  /// this returns. `body` non-null: the whole body, kept alive by the caller until the call ends.
  /// Null: there is none, or it is streamed through SendBody(), as head.body tells.
  [[nodiscard]] virtual std::unique_ptr<UpstreamCall> Send(const http::RequestHead& head,
                                                           const std::string* body,
                                                           const UpstreamTerms& terms,
                                                           UpstreamEvents& events) = 0;
  /// Every wait that a call may have: queue, look-up, connect, response. What a lease must cover.
  [[nodiscard]] virtual Duration longest_wait() const = 0;
  /// The part of it that may still pass after the first byte was written.
  [[nodiscard]] virtual Duration response_timeout() const = 0;
};

}  // namespace idem::ports
