#include "proxy/admin/records_api.h"

#include <utility>

#include "proxy/admin/list_request.h"
#include "proxy/admin/settle_request.h"
#include "proxy/base/invariant.h"

namespace idem::admin {

namespace {

constexpr std::string_view kList = "/records";
constexpr std::string_view kRelease = "/records/release";
constexpr std::string_view kResolve = "/records/resolve";

std::unique_ptr<RecordsRequest> MakeRequest(const RecordsContext& context,
                                            http::ServerStream& stream, std::string_view path) {
  using Action = SettleRequest::Action;
  if (path == kList) return std::make_unique<ListRequest>(context, stream);
  return std::make_unique<SettleRequest>(context, stream,
                                         path == kRelease ? Action::kRelease : Action::kResolve);
}

}  // namespace

RecordsApi::RecordsApi(Loop& loop, ports::RecordStore& records, ports::RecordIndex& index,
                       TtlOfRoute ttl_of)
    : loop_(loop), ttl_of_(std::move(ttl_of)), context_{*this, records, index, ttl_of_} {}

RecordsApi::~RecordsApi() = default;

bool RecordsApi::Serves(std::string_view path) {
  return path == kList || path == kRelease || path == kResolve;
}

http::ServerHandler* RecordsApi::OnRequest(http::ServerStream& stream,
                                           const http::RequestHead& head) {
  auto request =
      MakeRequest(context_, stream, std::string_view(head.target).substr(0, head.target.find('?')));
  RecordsRequest* const started = request.get();
  requests_.emplace(started, std::move(request));
  started->Start(head);
  return started;
}

void RecordsApi::Retire(RecordsRequest& request) {
  auto node = requests_.extract(&request);
  INVARIANT(!node.empty());
  loop_.DeleteLater(std::move(node.mapped()));
}

}  // namespace idem::admin
