#include "proxy/store/remote/remote_link.h"

#include <algorithm>
#include <utility>

#include "proxy/base/invariant.h"
#include "proxy/base/log.h"

namespace idem::store {
namespace {

// A restart of the server or a cut connection is over within it.
constexpr std::chrono::milliseconds kGrace(250);

}  // namespace

RemoteLink::RemoteLink(Loop& loop, Random& random, const Options& options, RemoteLinkEvents& owner)
    : loop_(loop),
      owner_(owner),
      options_(options),
      where_(std::string(options.engine) + " at " + options.address),
      unavailable_reason_(Fail(ErrorCode::kUnavailable, "is not connected yet")),
      grace_ends_(loop.Now() + options.timeout),
      backoff_(random, options.events.unavailable, options.is_reporter) {}

void RemoteLink::Start() {
  INVARIANT(state_ == State::kStopped);
  BeginAttempt();
}

void RemoteLink::BeginAttempt() {
  state_ = State::kConnecting;
  Connect();
}

void RemoteLink::BecomeReady(std::string_view address, std::string_view version,
                             const std::vector<std::string>& risks) {
  state_ = State::kReady;
  backoff_.Succeed();
  if (options_.is_reporter) {
    log::Write(log::Level::kInfo, options_.events.connected,
               {{"address", address}, {"version", version}});
    for (const std::string& risk : risks) {
      log::Write(log::Level::kWarn, options_.events.may_forget,
                 {{"address", options_.address}, {"detail", risk}});
    }
  }
  first_connect_.Report(Ok());
  owner_.OnLinkReady();
}

void RemoteLink::Drop(Error why) {
  if (dropping_.open()) return;
  dropping_ = loop_.After(Duration::zero(), [this, error = std::move(why)]() mutable {
    if (!ready()) return;
    Disconnect(false);
    Lose(std::move(error));
  });
}

void RemoteLink::Lose(Error why) {
  if (ready()) grace_ends_ = loop_.Now() + std::min(options_.timeout, kGrace);
  state_ = State::kPausing;
  dropping_ = {};
  Disconnect(true);
  pause_ = loop_.After(backoff_.NextPause(), [this] { BeginAttempt(); });
  unavailable_reason_ = std::move(why);
  backoff_.Report(unavailable_reason_);
  first_connect_.Report(unavailable_reason_);
  owner_.OnLinkLost(unavailable_reason_);
}

Error RemoteLink::Fail(ErrorCode code, std::string_view what) const {
  return {code, where_ + " " + std::string(what)};
}

}  // namespace idem::store
