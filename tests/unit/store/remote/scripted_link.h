// A link whose connection the test makes and breaks.
#pragma once

#include <string>
#include <vector>

#include "proxy/store/remote/remote_link.h"

namespace idem::store {

class ScriptedLink final : public RemoteLink {
 public:
  ScriptedLink(Loop& loop, RemoteLinkEvents& owner,
               std::chrono::milliseconds timeout = std::chrono::milliseconds(800))
      : RemoteLink(loop, random_,
                   {.engine = "Server",
                    .address = "test:1",
                    .events = {.connected = "server_connected",
                               .may_forget = "server_may_forget",
                               .unavailable = "server_unavailable"},
                    .timeout = timeout,
                    .is_reporter = false},
                   owner) {}

  void Succeed() { BecomeReady("test:1", "1.0", {}); }
  void Break(std::string_view what) { Lose(Fail(ErrorCode::kUnavailable, what)); }

  [[nodiscard]] int attempts() const { return attempts_; }
  [[nodiscard]] bool connected() const { return connected_; }

 private:
  void Connect() override {
    ++attempts_;
    connected_ = true;
  }
  void Disconnect(bool /*inside_callback*/) override { connected_ = false; }

  SystemRandom random_;
  int attempts_ = 0;
  bool connected_ = false;
};

}  // namespace idem::store
