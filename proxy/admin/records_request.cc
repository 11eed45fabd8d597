#include "proxy/admin/records_request.h"

#include <string>
#include <utility>

#include "proxy/base/json_writer.h"

namespace idem::admin {

void RecordsRequest::OnBodyError(const http::ParseError& error) {
  Refuse(400, "bad-request", error.detail);
}

void RecordsRequest::OnClientGone() {
  stream_ = nullptr;
  Finish();
}

void RecordsRequest::Answer(std::uint16_t status, std::string_view json) {
  if (stream_ != nullptr) {
    http::ResponseHead head;
    head.status = status;
    head.fields.Add("Content-Type", "application/json");
    head.fields.Add("Cache-Control", "no-store");
    if (status == 405) head.fields.Add("Allow", method());
    head.body = http::BodyLength::Known(json.size());
    http::ServerStream& stream = *std::exchange(stream_, nullptr);
    stream.SendHead(head);
    stream.SendBody(json);
    stream.End();
  }
  Finish();
}

void RecordsRequest::Refuse(std::uint16_t status, std::string_view name, std::string_view detail,
                            std::string_view record_json) {
  std::string json = "{\"error\":";
  AppendJsonString(name, json);
  json += ",\"detail\":";
  AppendJsonString(detail, json);
  if (!record_json.empty()) json.append(",\"record\":").append(record_json);
  Answer(status, json += "}\n");
}

void RecordsRequest::RefuseStore(const Error& error) {
  const bool invalid = error.code == ErrorCode::kInvalid;
  Refuse(invalid ? 400 : 503, invalid ? "bad-request" : "store-unavailable", error.detail);
}

void RecordsRequest::Finish() {
  question_.Withdraw();
  owner_.Retire(*this);
}

}  // namespace idem::admin
