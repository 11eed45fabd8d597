// POST /records/release and /records/resolve: settles one unknown record (records_api.h).
#pragma once

#include <string>
#include <string_view>

#include "proxy/admin/records_request.h"
#include "proxy/base/json.h"

namespace idem::admin {

class SettleRequest final : public RecordsRequest {
 public:
  enum class Action : std::uint8_t { kRelease, kResolve };
  SettleRequest(const RecordsContext& context, http::ServerStream& stream, Action action)
      : RecordsRequest(context.owner, stream),
        records_(context.records),
        ttl_of_(context.ttl_of),
        action_(action),
        address_(stream.peer().address) {}
  void Start(const http::RequestHead& head) override;

  void OnBody(std::string_view bytes) override;
  void OnBodyEnd() override;
  /// Ends the request only if the store has not been called yet. Otherwise it continues and logs
  /// the outcome.
  void OnClientGone() override;

 private:
  static constexpr std::size_t kBodyMax = 2 << 20;

  [[nodiscard]] std::string_view method() const override { return "POST"; }
  [[nodiscard]] bool Read(const JsonValue& body);
  [[nodiscard]] bool ReadResponse(const JsonValue& body);
  void Act();
  void OnRead(const ports::ReadResult& read);
  void OnApplied(const ports::TransitionResult& answer);
  void RefuseHeld(const idempotency::Record& record, StoreTime now);
  void Log(std::string_view outcome);

  ports::RecordStore& records_;
  TtlOfRoute& ttl_of_;
  const Action action_;
  const std::string address_;  // of the operator
  std::string body_;
  bool asked_ = false;  // the store has been called

  std::string record_key_;
  idempotency::Token token_;
  std::string reason_;
  std::shared_ptr<idempotency::StoredResponse> response_ =  // kResolve
      std::make_shared<idempotency::StoredResponse>();
  idempotency::Claim claim_;  // of the record in the store
};

}  // namespace idem::admin
