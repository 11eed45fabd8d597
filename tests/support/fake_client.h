// A client of an exchange without a connection. It keeps the answer that it gets.
#pragma once

#include <string>
#include <string_view>

#include "proxy/http/server_stream.h"

namespace idem::support {

class FakeClient final : public http::ServerStream {
 public:
  explicit FakeClient(std::string_view address = "192.0.2.1") : address_(address) {
    peer_.address = address_;
  }

  [[nodiscard]] const http::Peer& peer() const override { return peer_; }
  void LimitBody(std::uint64_t /*bytes_max*/) override {}
  void PauseBody() override { body_wanted = false; }
  void ResumeBody() override { body_wanted = true; }
  void SendInterim(const http::ResponseHead& sent) override { interim_status = sent.status; }
  void SendHead(const http::ResponseHead& sent) override {
    ++heads;
    head = sent;
  }
  void SendBody(std::string_view bytes) override { body += bytes; }
  void End() override { ended = true; }
  void Abort() override { aborted = true; }
  [[nodiscard]] std::size_t unsent_bytes() const override { return unsent; }
  void CloseAfter() override { closes = true; }

  [[nodiscard]] std::string Field(std::string_view name) const {
    return std::string(head.fields.Find(name).value_or("(absent)"));
  }

  bool body_wanted = false;
  int heads = 0;
  int interim_status = 0;
  http::ResponseHead head;
  std::string body;
  bool ended = false;
  bool aborted = false;
  bool closes = false;
  std::size_t unsent = 0;

 private:
  std::string address_;
  http::Peer peer_;
};

}  // namespace idem::support
