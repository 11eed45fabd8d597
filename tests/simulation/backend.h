// The backend that all simulated proxies share, and one proxy's link to it. The fate of a call is
// drawn when it is sent. The backend continues a call even if the proxy gives it up or dies, as a
// real one does.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "proxy/ports/upstream.h"
#include "tests/simulation/look_ups.h"
#include "tests/simulation/store_link.h"

namespace idem::simulation {

/// The parts of a world that the backend uses.
struct BackendParts {
  Timeline& timeline;
  const StoreServer& store;  // for its clock, on which claims are measured
  Ledger& ledger;
  Auditor& auditor;
  Weather& weather;
  Coverage& coverage;
  const Trace& trace;
};

class Backend {
 public:
  explicit Backend(const BackendParts& its) : parts(its) {}

  /// Returns whether it drops duplicates by their key by now.
  [[nodiscard]] bool drops_duplicates() const;
  /// Makes the effect of `call`, once for each key if duplicates are dropped. Returns false if it
  /// did not act because the key was used for another request.
  bool Act(Call& call);

  /// Returns the effect that a look-up of the key finds now, or null.
  [[nodiscard]] const Effect* Shown(const Intent& intent) const;

  const BackendParts parts;

 private:
  struct Showing {
    Effect effect;
    BootTime from{};
  };
  void ShowLater(const Call& call);

  std::unordered_map<std::string, std::vector<Showing>> shown_;  // by identity
  std::unordered_map<std::string, const Intent*> done_;          // by identity
};

class BackendLink final : public ports::Upstream {
 public:
  BackendLink(Backend& backend, ProcessLoop& loop, std::size_t process);
  ~BackendLink() override;

  [[nodiscard]] std::unique_ptr<ports::UpstreamCall> Send(const http::RequestHead& head,
                                                          const std::string* body,
                                                          const ports::UpstreamTerms& terms,
                                                          ports::UpstreamEvents& events) override;
  [[nodiscard]] Duration longest_wait() const override { return kLongestWait; }
  [[nodiscard]] Duration response_timeout() const override { return kResponseTimeout; }

 private:
  enum class Ending : std::uint8_t { kWhole, kReset, kTruncated, kMalformed };
  // The fate that is drawn for a call.
  struct Fate {
    bool refused = false;
    bool no_slot = false;
    Duration connects{};
    bool acts = true;
    Duration acts_after{};
    std::uint16_t status = 201;
    bool large = false;
    bool hangs = false;
    bool interim = false;
    Ending ending = Ending::kWhole;
  };
  struct Piece {
    enum class Kind : std::uint8_t { kInterim, kHead, kBody, kEnd, kFailure } kind{};
    std::string body{};
    ports::UpstreamProblem problem{};
  };
  struct Running;
  struct Handle;
  friend struct Handle;

  [[nodiscard]] Fate DrawFate();
  void DrawTrouble(Fate& fate);
  void Ready(Running& running);
  void Receive(Running& running);
  void Respond(Running& running);
  void Pump(Running& running);
  void PumpLater(Running& running);
  void Deliver(Running& running, const Piece& piece);
  void FailCall(Running& running, ports::UpstreamProblem problem, Delivery delivery);
  void CountResponse(const Running& running);

  Backend& backend_;
  ProcessLoop& loop_;
  const std::size_t process_;
  LookUps look_ups_;
  std::deque<std::unique_ptr<Running>> running_;  // kept until the world ends
};

}  // namespace idem::simulation
