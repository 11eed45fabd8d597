// Questions to Redis on one connection, many at a time: what is asked in one turn of the loop
// leaves in one write, and the replies come back in that order.
//
//   Ask() ─▶ waiting ──(end of the turn, when the link is ready)──▶ in flight ──▶ on_reply
//
// With replicas to wait for, a WAIT follows the questions of a turn that write, and their replies
// are held until it has answered for all of them:
//
//   sent       EVALSHA a, EVALSHA b, WAIT 1 250
//   received   a ▶ held, b ▶ held, 1 ▶ a and b are answered
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "proxy/base/function.h"
#include "proxy/store/redis/redis_link.h"

namespace idem::store {

struct RedisScriptCall {
  RedisScript script = RedisScript::kLook;
  std::size_t argument_count = 0;  // of those below
  std::string arguments;           // number of keys, keys, arguments: as AppendRedisArgument()
  bool writes = false;             // its effect must reach the replicas that are asked for
  /// Once, never inside Ask(): a reply that is no error, or why there is none. Where it is
  /// kUnavailable or kTimeout, the question may have taken effect all the same.
  Function<void(Result<RedisReply>)> on_reply;
};

class RedisPipeline final : private RedisLinkEvents {
 public:
  struct Options {
    std::chrono::milliseconds timeout{500};  // of one question, waiting included
    std::uint32_t wait_replicas = 0;
    bool require_durable = false;
    bool is_reporter = true;  // see RedisLink
    std::size_t questions_max = 16 * 1024;
    std::size_t bytes_max = 64UL << 20;  // beyond it nothing more is taken in
  };

  RedisPipeline(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                RedisAddress address, const Options& options);
  ~RedisPipeline() override;
  RedisPipeline(const RedisPipeline&) = delete;
  RedisPipeline& operator=(const RedisPipeline&) = delete;

  /// While the first connection is under way, and for a moment after one was lost, questions wait;
  /// later they fail at once.
  void Ask(RedisScriptCall question);

  /// Answers once the first attempt to connect has ended: with Ok, or why Redis cannot be used.
  [[nodiscard]] Ticket WhenTried(Function<void(Status)> on_tried) {
    return link_.WhenTried(std::move(on_tried));
  }

  /// Nothing where questions can be asked; else why not.
  [[nodiscard]] std::optional<std::string> unavailable_reason() const;

 private:
  struct Entry {
    enum class Kind : std::uint8_t { kQuestion, kScriptLoad, kWait };
    Kind kind = Kind::kQuestion;
    RedisScriptCall question;
    BootTime deadline{};
    RedisReply reply;         // held until the replicas have it
    bool answered = false;    // or never to be: the entry only keeps the replies in step
    bool load_first = false;  // the server had lost the script
  };

  void OnLinkReady() override;
  void OnLinkReply(RedisReply reply) override;
  void OnLinkLost(const Error& why) override;

  void FlushLater();
  void Flush();
  void Send(Entry entry, std::string& out);
  void AppendControl(Entry::Kind kind);

  void TakeAnswer(Entry& entry, RedisReply reply);
  void TakeError(Entry& entry, std::string_view error);
  void TakeAcknowledgements(RedisValue count);
  void DropDone();

  void Answer(Entry& entry, Result<RedisReply> answer);
  void AnswerLater(RedisScriptCall question, Error error);
  void ArmTimer();
  void OnTimer();
  void TimeOut(BootTime now);

  [[nodiscard]] bool full() const;
  [[nodiscard]] bool stalled() const;

  event::EventLoop& loop_;
  const Options options_;
  std::deque<Entry> waiting_;
  std::deque<Entry> in_flight_;
  std::size_t replied_ = 0;  // of in_flight_, from its front; they wait for their WAIT
  std::size_t bytes_ = 0;    // of the arguments of all that is not answered
  BootTime heard_{};         // when the link last made a step, or the first in flight was sent
  Ticket flush_;
  Ticket timer_;
  RedisLink link_;  // last: it is gone before what it tells
};

}  // namespace idem::store
