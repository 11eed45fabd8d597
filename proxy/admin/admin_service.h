// The resources of the admin listener: /healthz (the process runs), /readyz (200, or 503 with the
// reasons), /metrics and /records (records_api.h).
//
// If a token is configured, a request must carry it as `Authorization: Bearer TOKEN`. The probes
// /healthz and /readyz need no token, but /readyz gives its reasons only to a request that has it.
#pragma once

#include <optional>
#include <string>

#include "proxy/admin/readiness.h"
#include "proxy/admin/records_api.h"
#include "proxy/auth/client_credentials.h"
#include "proxy/base/loop.h"
#include "proxy/http/server_stream.h"

namespace idem::admin {

class AdminService final : public http::ServerService {
 public:
  /// `render_metrics` returns the text of /metrics (Prometheus' exposition format 0.0.4).
  AdminService(Loop& loop, const Readiness& readiness, Function<std::string()> render_metrics,
               RecordsApi& records)
      : loop_(loop),
        readiness_(readiness),
        render_metrics_(std::move(render_metrics)),
        records_(records) {}
  ~AdminService() override;

  /// nullopt means that no token is needed.
  void SetToken(std::optional<auth::Secret> token) { token_ = std::move(token); }

  http::ServerHandler* OnRequest(http::ServerStream& stream, http::RequestHead& head) override;
  http::ServerHandler* OnBadRequest(http::ServerStream& stream, http::RequestHead& head,
                                    const http::ParseError& error) override;

 private:
  struct Answer {
    std::uint16_t status = 200;
    std::string_view type = "text/plain; charset=utf-8";
    std::string body;
  };
  class AnsweredRequest;
  [[nodiscard]] bool MayAsk(const http::RequestHead& head) const;
  [[nodiscard]] Answer Choose(std::string_view path, const http::RequestHead& head);
  http::ServerHandler* Send(http::ServerStream& stream, const Answer& answer);

  Loop& loop_;
  const Readiness& readiness_;
  Function<std::string()> render_metrics_;
  RecordsApi& records_;
  std::optional<auth::Secret> token_;
};

}  // namespace idem::admin
