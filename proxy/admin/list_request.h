// GET /records: lists records that are not completed, or finds one record (records_api.h).
#pragma once

#include <string>
#include <string_view>

#include "proxy/admin/query_string.h"
#include "proxy/admin/records_request.h"

namespace idem::admin {

/// Reads pages of the store until it has found enough records or read enough pages.
class ListRequest final : public RecordsRequest {
 public:
  ListRequest(const RecordsContext& context, http::ServerStream& stream)
      : RecordsRequest(context.owner, stream), records_(context.records), index_(context.index) {}
  void Start(const http::RequestHead& head) override;

 private:
  static constexpr std::size_t kLimit = 100;
  static constexpr std::size_t kLimitMax = 1000;
  static constexpr int kStepsMax = 200;  // pages per request; the caller continues with the cursor

  [[nodiscard]] std::string_view method() const override { return "GET"; }
  [[nodiscard]] bool ReadFilter(const Query& query);
  void LookAt(const std::string& record_key);
  void Step();
  void OnStep(ports::RecordPage answer);
  void AnswerFound();

  ports::RecordStore& records_;
  ports::RecordIndex& index_;
  ports::RecordFilter filter_;
  std::size_t limit_ = kLimit;
  std::string cursor_;
  int steps_ = 0;
  std::size_t found_ = 0;
  std::string found_json_;
};

}  // namespace idem::admin
