// Questions to Redis on one connection, many at a time. Questions of one turn of the loop leave in
// one write, and the replies come back in that order.
//
//   Ask() ─▶ waiting ──(end of the turn, when the link is ready)──▶ sent ──▶ on_reply
//
// With replicas to wait for, a WAIT follows the questions of a turn that write. Their replies are
// kept until Redis has answered it for all of them:
//
//   sent       EVALSHA a, EVALSHA b, WAIT 1 250
//   received   a ▶ kept, b ▶ kept, 1 ▶ a and b are answered
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "proxy/base/function.h"
#include "proxy/store/redis/redis_link.h"
#include "proxy/store/remote/question_queue.h"

namespace idem::store {

struct RedisScriptCall {
  RedisScript script = RedisScript::kLook;
  std::size_t argument_count = 0;  // in `arguments`
  std::string arguments;           // number of keys, keys, arguments: as AppendRedisArgument()
  bool writes = false;             // its effect must reach `wait_replicas` replicas
  /// Called once, never inside Ask(), with a reply that is no error, or with an error. After
  /// kUnavailable or kTimeout the question may have taken effect.
  Function<void(Result<RedisReply>)> on_reply;
};

class RedisPipeline final : private RedisLinkEvents {
 public:
  struct Options {
    std::chrono::milliseconds timeout{500};  // of one question, waiting included
    std::uint32_t wait_replicas = 0;
    bool require_durable = false;
    bool is_reporter = true;  // see RedisLink
  };

  RedisPipeline(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                RedisAddress address, const Options& options);
  ~RedisPipeline() override;
  RedisPipeline(const RedisPipeline&) = delete;
  RedisPipeline& operator=(const RedisPipeline&) = delete;

  /// Questions wait while RemoteLink::within_grace(); otherwise they fail on the next turn.
  void Ask(RedisScriptCall question);

  [[nodiscard]] Ticket WhenTried(Function<void(Status)> on_tried) {
    return link_.WhenTried(std::move(on_tried));
  }

  /// The reason why questions are not answered now; null while they are.
  [[nodiscard]] std::optional<std::string> unavailable_reason() const {
    return queue_.unavailable_reason();
  }

 private:
  // Every entry that was sent gets one reply, an answered one too: it keeps the replies in step.
  struct Entry : QuestionState {
    enum class Kind : std::uint8_t { kQuestion, kScriptLoad, kWait };

    [[nodiscard]] std::size_t bytes() const { return question.arguments.size(); }
    Function<void(Result<RedisReply>)> TakeCallback();

    Kind kind = Kind::kQuestion;
    RedisScriptCall question;
    RedisReply reply;         // kept until enough replicas have the write
    bool load_first = false;  // the server does not have the script any more
  };

  void OnLinkReady() override { Flush(); }
  void OnLinkReply(RedisReply reply) override;
  void OnLinkLost(const Error& why) override;

  void Flush();
  void Send(Entry entry, std::string& out);
  void AppendControl(Entry::Kind kind);

  void TakeAnswer(Entry& entry, RedisReply reply);
  void TakeError(Entry& entry, std::string_view error);
  void TakeAcknowledgements(RedisValue count);
  void DropDone();

  const Options options_;
  RedisLink link_;
  QuestionQueue<Entry> queue_;
  std::size_t replied_ = 0;  // the first entries of sent(), whose replies wait for their WAIT
};

}  // namespace idem::store
