// /records of the admin listener: an operator finds records and settles unknown ones.
//
//   GET  /records?state=&min_age_ms=&route=&client=&limit=&cursor=    what is not completed
//   GET  /records?key_hash=  or  ?record_key=                         one record, in any state
//     -> {"records":[{...}],"cursor":"..."}     cursor: pass it to get the next page; "" at the end
//   POST /records/release  {"record_key","token","reason"}
//   POST /records/resolve  {"record_key","token","reason","status","content_type","body"}
//     -> {"outcome":"released"}  {"outcome":"resolved"}
//   any  -> {"error":"NAME","detail":"..."}, with "record" if a record is the reason
//
// record_json.h draws a record. `token` is the token that the operator was shown. If the record has
// another token by now, or is being executed, nothing is changed and the response is 409. Each POST
// that could be read writes one line `record_settled` to the log, whatever its outcome.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>

#include "proxy/admin/records_request.h"

namespace idem::admin {

/// Runs on the admin listener's loop. The store outlives it.
class RecordsApi final : private RecordsRequestOwner {
 public:
  RecordsApi(Loop& loop, ports::RecordStore& records, ports::RecordIndex& index, TtlOfRoute ttl_of);
  ~RecordsApi() override;
  RecordsApi(const RecordsApi&) = delete;
  RecordsApi& operator=(const RecordsApi&) = delete;

  /// Returns true if the path is one of those above.
  [[nodiscard]] static bool Serves(std::string_view path);
  http::ServerHandler* OnRequest(http::ServerStream& stream, const http::RequestHead& head);

 private:
  void Retire(RecordsRequest& request) override;

  Loop& loop_;
  TtlOfRoute ttl_of_;
  const RecordsContext context_;
  std::unordered_map<const RecordsRequest*, std::unique_ptr<RecordsRequest>> requests_;
};

}  // namespace idem::admin
