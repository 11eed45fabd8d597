// One worker's upstream in front of scripted backends, and a caller that records its events.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "proxy/forward/pooled_upstream.h"
#include "tests/support/run_loop.h"
#include "tests/support/scripted_backend.h"

namespace idem::forward {

struct Heard final : ports::UpstreamEvents {
  bool OnUpstreamReady() override {
    log += "ready ";
    if (drop_at_ready) call.reset();
    return go;
  }
  void OnUpstreamInterim(const http::ResponseHead& head) override {
    log += std::to_string(head.status) + "! ";
  }
  void OnUpstreamHead(http::ResponseHead& head) override {
    status = head.status;
    log += std::to_string(head.status) + " ";
    if (pause_at_head) call->PauseResponse();
    if (drop_at_head) call.reset();
  }
  void OnUpstreamBody(std::string_view bytes) override {
    body += bytes;
    if (pause_at_body) call->PauseResponse();
  }
  void OnUpstreamEnd() override {
    log += "end";
    over = true;
    if (drop_at_end) call.reset();
  }
  void OnUpstreamFailure(const ports::UpstreamFailure& told) override {
    failure = told;
    log += "failure";
    over = true;
    call.reset();
  }
  void OnUpstreamSent() override { ++sent; }

  std::unique_ptr<ports::UpstreamCall> call;
  bool go = true;
  bool drop_at_ready = false;
  bool drop_at_head = false;
  bool drop_at_end = true;
  bool pause_at_head = false;
  bool pause_at_body = false;

  std::string log;
  std::string body;
  int status = 0;
  int sent = 0;
  bool over = false;
  ports::UpstreamFailure failure;
};

inline http::RequestHead Head(std::string method, http::BodyLength body = {}) {
  http::RequestHead head;
  head.method = std::move(method);
  head.target = "/orders";
  head.fields.Add("Host", "shop.example");
  head.body = body;
  return head;
}

struct World {
  explicit World(const std::vector<std::string>& addresses, UpstreamOptions options = {},
                 std::size_t max_in_flight = 100)
      : gate(max_in_flight) {
    for (const std::string& address : addresses) {
      options.endpoints.push_back(*event::Endpoint::Parse(address));
    }
    MakeUpstream(std::move(options));
  }

  void MakeUpstream(UpstreamOptions options) {
    if (options.tls) REQUIRE(UseTls(*options.tls).has_value());
    upstream = std::make_unique<PooledUpstream>(loop, resolver, gate, metrics.upstream_connections,
                                                std::move(options));
  }

  void Start(Heard& heard, const http::RequestHead& head, const std::string* body = nullptr,
             const ports::UpstreamTerms& terms = {}) {
    heard.call = upstream->Send(head, body, terms, heard);
    CHECK(heard.log.empty());  // no event comes from inside the call
  }
  /// Starts a call and waits for its end.
  void Run(Heard& heard, const http::RequestHead& head, const std::string* body = nullptr,
           const ports::UpstreamTerms& terms = {}) {
    Start(heard, head, body, terms);
    support::RunUntil(loop, [&] { return heard.over; });
  }
  /// Sends a GET that must succeed with `body`.
  void Get(const std::string& body, const ports::UpstreamTerms& terms = {}) {
    Heard heard;
    Run(heard, Head("GET"), nullptr, terms);
    CHECK(heard.log == "ready 200 end");
    CHECK(heard.body == body);
  }

  event::Resolver resolver;
  InFlightLimit gate;
  telemetry::Metrics metrics;
  event::EventLoop loop;
  std::unique_ptr<PooledUpstream> upstream;
};

}  // namespace idem::forward
