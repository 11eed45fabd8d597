// A backend without a connection. The test answers each call by hand and reads the requests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/ports/upstream.h"

namespace idem::support {

class FakeUpstream final : public ports::Upstream {
 public:
  /// One request that was sent. `call` outlives its exchange's interest, which `dropped` shows.
  struct Call {
    http::RequestHead head;
    std::string body;
    ports::UpstreamTerms terms;
    ports::UpstreamEvents* events = nullptr;
    bool begun = false;      // OnUpstreamReady() returned true: the effect may happen
    bool abandoned = false;  // OnUpstreamReady() returned false
    bool body_ended = false;
    bool paused = false;
    bool dropped = false;
  };

  explicit FakeUpstream(Loop& loop) : loop_(loop) {}

  [[nodiscard]] std::unique_ptr<ports::UpstreamCall> Send(const http::RequestHead& head,
                                                          const std::string* body,
                                                          const ports::UpstreamTerms& terms,
                                                          ports::UpstreamEvents& events) override {
    auto call = std::make_shared<Call>();
    call->head = head;
    if (body != nullptr) call->body = *body;
    call->body_ended = body != nullptr;
    call->terms = terms;
    call->events = &events;
    calls.push_back(call);
    if (ready_at_once) {
      loop_.Post([this, call] { Ready(*call); });
    }
    return std::make_unique<Handle>(call);
  }
  [[nodiscard]] Duration longest_wait() const override { return std::chrono::seconds(34); }
  [[nodiscard]] Duration response_timeout() const override { return std::chrono::seconds(30); }

  void Ready(Call& call) {
    if (call.dropped) return;
    if (call.events->OnUpstreamReady()) {
      call.begun = true;
    } else {
      call.abandoned = true;
      call.dropped = true;
    }
  }
  /// Answers the call with a whole response.
  static void Answer(Call& call, std::uint16_t status, std::string_view body = "",
                     std::initializer_list<http::FieldLine> fields = {}) {
    AnswerHead(call, status, http::BodyLength::Known(body.size()), fields);
    if (!call.dropped && !body.empty()) call.events->OnUpstreamBody(body);
    if (!call.dropped) call.events->OnUpstreamEnd();
  }
  static void AnswerHead(Call& call, std::uint16_t status, http::BodyLength length,
                         std::initializer_list<http::FieldLine> fields = {}) {
    if (call.dropped) return;
    http::ResponseHead head;
    head.status = status;
    head.body = length;
    for (const http::FieldLine& field : fields) head.fields.Add(field.name, field.value);
    call.events->OnUpstreamHead(head);
  }
  static void Fail(Call& call, ports::UpstreamProblem problem, Delivery delivery) {
    if (!call.dropped) call.events->OnUpstreamFailure({problem, delivery, "test"});
  }

  /// Returns the calls for which the backend may have acted.
  [[nodiscard]] std::size_t begun() const {
    std::size_t count = 0;
    for (const auto& call : calls) count += call->begun ? 1 : 0;
    return count;
  }

  std::vector<std::shared_ptr<Call>> calls;
  bool ready_at_once = true;

 private:
  struct Handle final : ports::UpstreamCall {
    explicit Handle(std::shared_ptr<Call> call) : call_(std::move(call)) {}
    ~Handle() override { call_->dropped = true; }
    void SendBody(std::string_view bytes) override { call_->body += bytes; }
    void EndBody() override { call_->body_ended = true; }
    [[nodiscard]] std::size_t unsent_bytes() const override { return 0; }
    void PauseResponse() override { call_->paused = true; }
    void ResumeResponse() override { call_->paused = false; }
    [[nodiscard]] std::string_view address() const override { return "127.0.0.1:9000"; }
    std::shared_ptr<Call> call_;
  };

  Loop& loop_;
};

}  // namespace idem::support
