// One attempt of one caller at one process, as the caller's connection sees it.
#pragma once

#include "tests/simulation/simulated_process.h"

namespace idem::simulation {

class Caller;

class Visit final : public http::ServerStream {
 public:
  /// Called once: the request was answered, or the connection broke.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void OnAnswered(Visit& visit) = 0;
    virtual void OnBroken(Visit& visit) = 0;
  };

  Visit(Process& process, Attempt& attempt, Events& events, const Surroundings& world)
      : process_(process), attempt_(attempt), events_(events), world_(world) {
    peer_.address = "192.0.2.1";
    process.visits().push_back(this);
  }

  /// Delivers the head in a turn of the process, and its body `body_after` later, or at once.
  void Arrive(std::optional<Duration> body_after);
  /// The caller stops waiting.
  void Leave();
  /// The process has died.
  void Break();

  /// Returns true if no one waits for an answer any more.
  [[nodiscard]] bool over() const { return over_ || left_; }
  [[nodiscard]] const Attempt& attempt() const { return attempt_; }
  [[nodiscard]] const Answer& answer() const { return answer_; }
  [[nodiscard]] const Process& process() const { return process_; }

 private:
  // The exchange's side of the connection.
  [[nodiscard]] const http::Peer& peer() const override { return peer_; }
  void LimitBody(std::uint64_t /*bytes_max*/) override {}
  void PauseBody() override { body_wanted_ = false; }
  void ResumeBody() override { body_wanted_ = true; }
  void SendInterim(const http::ResponseHead&) override {}
  void SendHead(const http::ResponseHead& head) override { answer_.head = head; }
  void SendBody(std::string_view bytes) override { answer_.body += bytes; }
  void End() override { Close(true); }
  void Abort() override { Close(false); }
  [[nodiscard]] std::size_t unsent_bytes() const override { return 0; }
  void CloseAfter() override {}

  void Close(bool whole);
  void DeliverBody();

  Process& process_;
  Attempt& attempt_;
  Events& events_;
  const Surroundings& world_;
  http::Peer peer_;
  http::ServerHandler* handler_ = nullptr;
  Answer answer_;
  bool body_wanted_ = false;
  bool body_came_ = false;
  bool left_ = false;
  bool over_ = false;
};

}  // namespace idem::simulation
