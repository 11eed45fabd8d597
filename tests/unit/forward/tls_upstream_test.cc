// Calls to TLS backends.
#include <doctest/doctest.h>

#include <string>

#include "proxy/event/connection.h"
#include "proxy/event/listener.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/forward/fixture.h"

namespace idem::forward {
namespace {

using ports::UpstreamProblem;

/// Answers the first request on its one connection, and then ends or is cut.
class TlsBackend final : event::ConnectionEvents {
 public:
  enum class Then { kKeep, kEnd, kCut };
  TlsBackend(event::EventLoop& loop, const std::string& certificate, const std::string& key,
             std::string answer, Then then)
      : context_(*event::TlsContext::ForServer(
            {.certificate = certificate, .key = key, .client_ca = {}})),
        answer_(std::move(answer)),
        then_(then),
        listener_(*event::Listener::Listen(
            loop, *event::Endpoint::Parse("127.0.0.1:0"), [this, &loop](int socket, const auto&) {
              connection_ = event::Connection::AcceptedTls(loop, socket, *context_,
                                                           std::chrono::seconds(10), *this, {});
            })) {}

  [[nodiscard]] std::string address() const { return listener_->bound().ToText(); }
  [[nodiscard]] const std::string& received() const { return received_; }

 private:
  void OnData() override {
    received_ += connection_->received();
    connection_->Consume(connection_->received().size());
    if (!received_.ends_with("\r\n\r\n")) return;
    connection_->Write(answer_);
    if (then_ == Then::kEnd) connection_->EndWriting();
    if (then_ == Then::kCut) connection_->Abort();
  }
  void OnEnd() override {}
  void OnFailure(const Error&) override {}

  std::unique_ptr<event::TlsContext> context_;
  std::string answer_;
  Then then_;
  std::string received_;
  std::unique_ptr<event::Connection> connection_;
  std::unique_ptr<event::Listener> listener_;
};

TEST_CASE("a call over TLS: answered, refused for its certificate, ended in order, or cut") {
  const support::TestCertificates certificates;
  struct Case {
    const char* what;
    std::string certificate;
    std::string answer;
    TlsBackend::Then then;
    const char* log;
    UpstreamProblem problem;
    Delivery delivery;
  };
  const std::string known = support::Response(200, "abc");
  const std::string until_end = "HTTP/1.1 200 OK\r\n\r\nabc";
  using Then = TlsBackend::Then;
  for (const Case& one :
       {Case{"kept", certificates.server(), known, Then::kKeep, "ready 200 end", {}, {}},
        Case{"ended in order",
             certificates.server(),
             until_end,
             Then::kEnd,
             "ready 200 end",
             {},
             {}},
        Case{"cut where the length was unknown", certificates.server(), until_end, Then::kCut,
             "ready 200 failure", UpstreamProblem::kReset, Delivery::kMaybeSent},
        Case{"expired", certificates.expired(), known, Then::kKeep, "failure",
             UpstreamProblem::kUnreachable, Delivery::kNotSent},
        Case{"another name", certificates.other_name(), known, Then::kKeep, "failure",
             UpstreamProblem::kUnreachable, Delivery::kNotSent}}) {
    CAPTURE(one.what);
    UpstreamOptions options;
    options.tls = UpstreamTls{};
    options.tls->ca = certificates.ca();
    options.tls->server_name = "localhost";
    World world({"127.0.0.1:1"}, options);
    TlsBackend backend(world.loop, one.certificate, certificates.key(), one.answer, one.then);
    options.endpoints = {*event::Endpoint::Parse(backend.address())};
    world.MakeUpstream(options);
    Heard heard;
    world.Run(heard, Head("GET"));
    CHECK(heard.log == one.log);
    if (heard.log.ends_with("end")) {
      CHECK(heard.body == "abc");
      CHECK(world.upstream->idle_connections() == (one.then == Then::kKeep ? 1 : 0));
      continue;
    }
    CHECK(heard.failure.problem == one.problem);
    CHECK(heard.failure.delivery == one.delivery);
    if (one.delivery == Delivery::kNotSent) {
      CHECK(heard.failure.detail.find("certificate") != std::string::npos);
      support::RunBriefly(world.loop);
      CHECK(backend.received().empty());
    }
  }
}

}  // namespace
}  // namespace idem::forward
