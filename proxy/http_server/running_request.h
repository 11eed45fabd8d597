// The request that a client connection currently serves, and its handler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/http/message.h"
#include "proxy/http/server_stream.h"

namespace idem::http_server {

/// Tracks how much of the body was read, and passes the connection's events to the handler as long
/// as that is active. One object serves all requests of a connection, one after the other.
class RunningRequest {
 public:
  /// Begins the request with this head. It is active from here, with its handler set by
  /// SetHandler(): the handler uses the stream before the service returns it.
  void Begin(const http::RequestHead& head);
  /// The same for a message that cannot be parsed: no body is read.
  void BeginUnreadable();
  void SetHandler(http::ServerHandler* handler);

  /// False before the first request, and once the handler has ended its answer or the client has
  /// gone. The handler gets no event then.
  [[nodiscard]] bool active() const { return !answered_; }
  /// The handler has ended its answer.
  void SetAnswered() { answered_ = true; }

  // The handler's wish for the body.
  void PauseBody() { reading_ = false; }
  void ResumeBody() { reading_ = true; }
  [[nodiscard]] bool reads_body() const { return reading_ && !ended_; }
  /// Returns whether the client waits for `100 Continue`, once.
  [[nodiscard]] bool TakeExpectContinue();

  // Events for the handler.
  void OnBody(std::string_view bytes);
  void OnBodyEnd();
  void OnBodyError(const http::ParseError& error);  // requires active()
  void OnDrained();
  void OnClientGone();

  /// The whole request was read, or the rest of it will not be.
  [[nodiscard]] bool ended() const { return ended_; }
  /// More bytes must arrive before the body can go on.
  [[nodiscard]] bool needs_bytes() const;
  /// The rest of the request is no longer than `bytes`.
  [[nodiscard]] bool ends_within(std::size_t bytes) const;
  /// Zero if the length is not known.
  [[nodiscard]] std::uint64_t bytes_left() const { return bytes_left_; }

 private:
  http::ServerHandler* handler_ = nullptr;
  http::BodyLength body_;
  std::uint64_t bytes_left_ = 0;
  bool expects_continue_ = false;
  bool reading_ = false;
  bool ended_ = false;
  bool answered_ = true;
};

}  // namespace idem::http_server
