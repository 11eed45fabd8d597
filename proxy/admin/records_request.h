// One request to /records on its way (records_api.h).
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/admin/query_string.h"
#include "proxy/admin/records_api.h"
#include "proxy/base/json.h"
#include "proxy/base/ticket.h"

namespace idem::admin {

/// Owned by the api from its first moment until Finish().
class RecordsRequest : public http::ServerHandler, public Retirable {
 public:
  RecordsRequest(RecordsApi& api, http::ServerStream& stream) : api_(api), stream_(&stream) {}

  void OnBody(std::string_view) override {}
  void OnBodyEnd() override {}
  void OnBodyError(const http::ParseError&) override { Refuse(400, "bad-request", "the body"); }
  void OnClientGone() override;
  void OnDrained() override {}

 protected:
  /// Each of these ends the request; nothing of it may be used after.
  void Answer(std::uint16_t status, std::string_view json);
  void Refuse(std::uint16_t status, std::string_view name, std::string_view detail,
              std::string_view record_json = {});
  void RefuseStore(const Error& error);
  void Finish();

  /// The one that it is asked with.
  [[nodiscard]] virtual std::string_view method() const = 0;

  RecordsApi& api_;
  http::ServerStream* stream_;  // null: the client has gone
  Ticket question_;

 private:
  friend class RecordsApi;
  std::list<std::unique_ptr<RecordsRequest>>::iterator self_;
};

/// GET: a walk through the store until enough is found.
class ListRequest final : public RecordsRequest {
 public:
  using RecordsRequest::RecordsRequest;
  void Start(const http::RequestHead& head);

 private:
  static constexpr std::size_t kLimit = 100;
  static constexpr std::size_t kLimitMax = 1000;
  static constexpr int kStepsMax = 200;  // of one request: a long walk takes several

  [[nodiscard]] std::string_view method() const override { return "GET"; }
  [[nodiscard]] bool ReadFilter(const Query& query);
  void LookAt(const std::string& record_key);
  void Step();
  void OnStep(ports::RecordPage answer);
  void AnswerFound();

  ports::RecordFilter filter_;
  std::size_t limit_ = kLimit;
  std::string cursor_;
  int steps_ = 0;
  std::size_t found_ = 0;
  std::string found_json_;
};

/// POST: one transition of one record.
class SettleRequest final : public RecordsRequest {
 public:
  enum class Action : std::uint8_t { kRelease, kResolve };
  SettleRequest(RecordsApi& api, http::ServerStream& stream, Action action)
      : RecordsRequest(api, stream), action_(action), address_(stream.peer().address) {}
  void Start(const http::RequestHead& head);

  void OnBody(std::string_view bytes) override;
  void OnBodyEnd() override;
  /// What was asked of the store goes on, and is logged.
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

  const Action action_;
  const std::string address_;  // the operator's
  std::string body_;
  bool asked_ = false;

  std::string record_key_;
  idempotency::Token token_;
  std::string reason_;
  std::shared_ptr<idempotency::StoredResponse> response_ =  // kResolve
      std::make_shared<idempotency::StoredResponse>();
  idempotency::Claim claim_;  // as it lies there
};

}  // namespace idem::admin
