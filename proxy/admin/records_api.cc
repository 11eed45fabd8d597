#include "proxy/admin/records_api.h"

#include <utility>

#include "proxy/admin/records_request.h"

namespace idem::admin {

namespace {

constexpr std::string_view kList = "/records";
constexpr std::string_view kRelease = "/records/release";
constexpr std::string_view kResolve = "/records/resolve";

}  // namespace

RecordsApi::RecordsApi(Loop& loop, ports::RecordStore& records, ports::RecordIndex& index,
                       TtlOf ttl_of)
    : loop_(loop), records_(records), index_(index), ttl_of_(std::move(ttl_of)) {}

RecordsApi::~RecordsApi() = default;

bool RecordsApi::Serves(std::string_view path) {
  return path == kList || path == kRelease || path == kResolve;
}

http::ServerHandler* RecordsApi::OnRequest(http::ServerStream& stream,
                                           const http::RequestHead& head) {
  const std::string_view path = std::string_view(head.target).substr(0, head.target.find('?'));
  const auto start = [&](auto request) {
    auto* const started = request.get();
    requests_.push_front(std::move(request));
    started->self_ = requests_.begin();
    started->Start(head);
    return started;
  };
  if (path == kList) return start(std::make_unique<ListRequest>(*this, stream));
  const auto action =
      path == kRelease ? SettleRequest::Action::kRelease : SettleRequest::Action::kResolve;
  return start(std::make_unique<SettleRequest>(*this, stream, action));
}

}  // namespace idem::admin
