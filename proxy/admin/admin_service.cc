#include "proxy/admin/admin_service.h"

#include <utility>

namespace idem::admin {

// Every answer is known when the head has come, so a handler has nothing left to do: it is there
// because a server tells it how the request went on.
class AdminService::AnsweredRequest final : public http::ServerHandler, public Retirable {
 public:
  void OnBody(std::string_view) override {}
  void OnBodyEnd() override {}
  void OnBodyError(const http::ParseError&) override {}
  void OnClientGone() override {}
  void OnDrained() override {}
};

AdminService::~AdminService() = default;

AdminService::Answer AdminService::Choose(const http::RequestHead& head) {
  const std::string_view target(head.target);
  const std::string_view path = target.substr(0, target.find('?'));
  if (path != "/healthz" && path != "/readyz" && path != "/metrics") {
    return {404, "text/plain; charset=utf-8", "There is /healthz, /readyz and /metrics.\n"};
  }
  if (head.method != "GET" && head.method != "HEAD") {
    return {405, "text/plain; charset=utf-8", "GET and HEAD only.\n"};
  }
  if (path == "/metrics")
    return {200, "text/plain; version=0.0.4; charset=utf-8", render_metrics_()};
  if (path == "/readyz") {
    auto why_not = readiness_.why_not();
    if (!why_not.empty()) return {503, "text/plain; charset=utf-8", std::move(why_not)};
  }
  return {200, "text/plain; charset=utf-8", "ok\n"};
}

http::ServerHandler* AdminService::OnRequest(http::ServerStream& stream, http::RequestHead& head) {
  return Send(stream, Choose(head));
}

http::ServerHandler* AdminService::OnBadRequest(http::ServerStream& stream, http::RequestHead&,
                                                const http::ParseError& error) {
  return Send(stream,
              {error.status, "text/plain; charset=utf-8", std::string(error.detail) + "\n"});
}

http::ServerHandler* AdminService::Send(http::ServerStream& stream, const Answer& answer) {
  auto handler = std::make_unique<AnsweredRequest>();
  auto* const told = handler.get();
  http::ResponseHead head;
  head.status = answer.status;
  head.fields.Add("Content-Type", answer.type);
  head.fields.Add("Cache-Control", "no-store");
  if (answer.status == 405) head.fields.Add("Allow", "GET, HEAD");
  head.body = http::BodyLength::Known(answer.body.size());
  stream.SendHead(head);
  stream.SendBody(answer.body);
  stream.End();
  loop_.DeleteLater(std::move(handler));
  return told;
}

}  // namespace idem::admin
