// What the admin listener answers: /healthz (the process runs), /readyz (200, or 503 naming what is
// not ready), /metrics.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "proxy/admin/readiness.h"
#include "proxy/base/loop.h"
#include "proxy/http/stream.h"

namespace idem::admin {

class AdminService final : public http::ServerService {
 public:
  /// `render_metrics` gives the text of /metrics (Prometheus' exposition format 0.0.4).
  AdminService(Loop& loop, const Readiness& readiness, Function<std::string()> render_metrics)
      : loop_(loop), readiness_(readiness), render_metrics_(std::move(render_metrics)) {}
  ~AdminService() override;

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
  [[nodiscard]] Answer Choose(const http::RequestHead& head);
  http::ServerHandler* Send(http::ServerStream& stream, const Answer& answer);

  Loop& loop_;
  const Readiness& readiness_;
  Function<std::string()> render_metrics_;
};

}  // namespace idem::admin
