#include "proxy/admin/admin_service.h"

#include <algorithm>
#include <utility>

#include "proxy/base/digest.h"

namespace idem::admin {

// The handler that the server requires for a request which has its response already.
class AdminService::AnsweredRequest final : public http::ServerHandler, public Retirable {
 public:
  void OnBody(std::string_view) override {}
  void OnBodyEnd() override {}
  void OnBodyError(const http::ParseError&) override {}
  void OnClientGone() override {}
  void OnDrained() override {}
};

AdminService::~AdminService() = default;

// Compares digests, so that the response time reveals neither the token nor its length.
bool AdminService::MayAsk(const http::RequestHead& head) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (!token_) return true;
  const std::string_view given = head.fields.Find("Authorization").value_or("");
  if (!http::EqualsIgnoreCase(given.substr(0, kScheme.size()), kScheme)) return false;
  const auto digest = Sha256::Of(given.substr(kScheme.size()));
  return EqualInConstantTime(AsText(digest), AsText(Sha256::Of(token_->bytes())));
}

AdminService::Answer AdminService::Choose(std::string_view path, const http::RequestHead& head) {
  constexpr std::string_view kPaths[] = {"/healthz", "/readyz", "/metrics"};
  const bool is_probe = path == "/healthz" || path == "/readyz";
  const bool may_ask = MayAsk(head);
  if (!is_probe && !may_ask) {
    return {401, "text/plain; charset=utf-8",
            "This path needs the token admin.token: Authorization: Bearer TOKEN\n"};
  }
  if (std::ranges::find(kPaths, path) == std::end(kPaths)) {
    return {404, "text/plain; charset=utf-8",
            "The paths are /healthz, /readyz, /metrics and /records.\n"};
  }
  if (head.method != "GET" && head.method != "HEAD") {
    return {405, "text/plain; charset=utf-8", "This path allows GET and HEAD only.\n"};
  }
  if (path == "/metrics")
    return {200, "text/plain; version=0.0.4; charset=utf-8", render_metrics_()};
  if (path == "/readyz") {
    auto unavailable_reason = readiness_.unavailable_reason();
    if (!unavailable_reason.empty()) {
      return {503, "text/plain; charset=utf-8",
              may_ask ? std::move(unavailable_reason) : "not ready\n"};
    }
  }
  return {200, "text/plain; charset=utf-8", "ok\n"};
}

http::ServerHandler* AdminService::OnRequest(http::ServerStream& stream, http::RequestHead& head) {
  const std::string_view path = std::string_view(head.target).substr(0, head.target.find('?'));
  if (RecordsApi::Serves(path) && MayAsk(head)) return records_.OnRequest(stream, head);
  return Send(stream, Choose(path, head));
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
  if (answer.status == 401) head.fields.Add("WWW-Authenticate", "Bearer");
  if (answer.status == 405) head.fields.Add("Allow", "GET, HEAD");
  head.body = http::BodyLength::Known(answer.body.size());
  stream.SendHead(head);
  stream.SendBody(answer.body);
  stream.End();
  loop_.DeleteLater(std::move(handler));
  return told;
}

}  // namespace idem::admin
