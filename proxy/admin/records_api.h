// /records of the admin listener: how an operator finds records and settles unknown ones.
//
//   GET  /records?state=&min_age_ms=&route=&client=&limit=&cursor=    what is not completed
//   GET  /records?key_hash=  or  ?record_key=                         one record, in any state
//     -> {"records":[{...}],"cursor":"..."}     cursor: ask again with it; "": that was all
//   POST /records/release  {"record_key","token","reason"}
//   POST /records/resolve  {"record_key","token","reason","status","content_type","body"}
//     -> {"outcome":"released"}  {"outcome":"resolved"}
//   any  -> {"error":"NAME","detail":"..."}, with "record" where one stands in the way
//
// A record is shown as record_json.h draws it. `token` is the one that the operator was shown: if
// the record carries another one by now, or somebody executes it, nothing is changed and the answer
// is 409. Each POST that could be read is one line `record_settled` in the log, whatever became of
// it.
#pragma once

#include <list>
#include <memory>
#include <string_view>

#include "proxy/base/function.h"
#include "proxy/base/loop.h"
#include "proxy/http/server_stream.h"
#include "proxy/ports/record_index.h"
#include "proxy/ports/record_store.h"

namespace idem::admin {

class RecordsRequest;

/// One, on the admin listener's loop. The store outlives it.
class RecordsApi {
 public:
  /// How long a record of that route is replayed once it is completed.
  using TtlOf = Function<idempotency::Milliseconds(std::string_view route)>;

  RecordsApi(Loop& loop, ports::RecordStore& records, ports::RecordIndex& index, TtlOf ttl_of);
  ~RecordsApi();
  RecordsApi(const RecordsApi&) = delete;
  RecordsApi& operator=(const RecordsApi&) = delete;

  /// Whether a path is one of those above.
  [[nodiscard]] static bool Serves(std::string_view path);
  http::ServerHandler* OnRequest(http::ServerStream& stream, const http::RequestHead& head);

 private:
  friend class RecordsRequest;
  friend class ListRequest;
  friend class SettleRequest;

  Loop& loop_;
  ports::RecordStore& records_;
  ports::RecordIndex& index_;
  TtlOf ttl_of_;
  std::list<std::unique_ptr<RecordsRequest>> requests_;
};

}  // namespace idem::admin
