// Base of the requests to /records (records_api.h): sends the response and ends the request.
#pragma once

#include <string_view>

#include "proxy/base/function.h"
#include "proxy/base/loop.h"
#include "proxy/base/ticket.h"
#include "proxy/http/server_stream.h"
#include "proxy/ports/record_index.h"
#include "proxy/ports/record_store.h"

namespace idem::admin {

class RecordsRequest;

/// Owns running requests.
class RecordsRequestOwner {
 public:
  virtual ~RecordsRequestOwner() = default;
  /// Destroys the request on a later turn of the loop. Called once, by Finish().
  virtual void Retire(RecordsRequest& request) = 0;
};

/// Returns how long a completed record of that route is replayed.
using TtlOfRoute = Function<idempotency::Milliseconds(std::string_view route)>;

/// Everything that a request uses. All of it outlives the request.
struct RecordsContext {
  RecordsRequestOwner& owner;
  ports::RecordStore& records;
  ports::RecordIndex& index;
  TtlOfRoute& ttl_of;
};

class RecordsRequest : public http::ServerHandler, public Retirable {
 public:
  RecordsRequest(RecordsRequestOwner& owner, http::ServerStream& stream)
      : stream_(&stream), owner_(owner) {}

  /// Called once, after the owner has taken the request. May already end it.
  virtual void Start(const http::RequestHead& head) = 0;

  void OnBody(std::string_view) override {}
  void OnBodyEnd() override {}
  void OnBodyError(const http::ParseError& error) override;
  void OnClientGone() override;
  void OnDrained() override {}

 protected:
  /// Each of these ends the request. The caller must return at once.
  void Answer(std::uint16_t status, std::string_view json);
  void Refuse(std::uint16_t status, std::string_view name, std::string_view detail,
              std::string_view record_json = {});
  void RefuseStore(const Error& error);
  void Finish();

  /// The only method that this resource allows.
  [[nodiscard]] virtual std::string_view method() const = 0;

  http::ServerStream* stream_;  // null once the client has gone or has its response
  Ticket question_;

 private:
  RecordsRequestOwner& owner_;
};

}  // namespace idem::admin
