// Parses the requests of one client connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/event/connection.h"
#include "proxy/http/parser.h"
#include "proxy/http_server/running_request.h"
#include "proxy/http_server/server.h"

namespace idem::http_server {

/// Feeds received bytes to the parser, and the body to the request. The references outlive this.
class RequestReader final : private http::RequestEvents {
 public:
  RequestReader(event::Connection& connection, const Options& options, RunningRequest& request);

  http::RequestParser::Progress Feed();
  /// Prepares for the next request.
  void Renew();
  /// The options have changed: the next Renew() makes a parser with the new limits.
  void SetOutdated() { outdated_ = true; }
  void LimitBody(std::uint64_t bytes_max) { parser_->LimitBody(bytes_max); }

  [[nodiscard]] http::RequestHead& head() { return parser_->head(); }
  [[nodiscard]] bool in_body() const { return parser_->in_body(); }
  [[nodiscard]] bool at_message_start() const { return parser_->at_message_start(); }
  /// No byte of the next request has arrived.
  [[nodiscard]] bool between_requests() const {
    return at_message_start() && connection_.received().empty();
  }
  /// Zero during Feed(), because the parser has some of the received bytes then.
  [[nodiscard]] std::size_t unparsed_bytes() const {
    return feeding_ ? 0 : connection_.received().size();
  }

 private:
  // http::RequestEvents
  void OnRequestHead() override {}
  void OnRequestBody(std::string_view bytes) override { request_.OnBody(bytes); }
  void OnRequestEnd() override { request_.OnBodyEnd(); }

  [[nodiscard]] std::unique_ptr<http::RequestParser> MakeParser();

  event::Connection& connection_;
  const Options& options_;
  RunningRequest& request_;
  std::unique_ptr<http::RequestParser> parser_;
  bool outdated_ = false;
  bool feeding_ = false;
};

}  // namespace idem::http_server
