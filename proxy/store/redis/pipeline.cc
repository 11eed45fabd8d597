#include "proxy/store/redis/pipeline.h"

#include <algorithm>

namespace idem::store {
namespace {

// Longer arguments are passed to the connection as they are; shorter ones are gathered.
constexpr std::size_t kGatherBytes = 4 * 1024;
// The connection is dropped after this many timeouts without a reply.
constexpr int kSilentTimeouts = 3;

}  // namespace

RedisPipeline::RedisPipeline(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                             RedisAddress address, const Options& options)
    : options_(options),
      link_(loop, resolver, random, std::move(address),
            {.timeout = options.timeout,
             .require_durable = options.require_durable,
             .is_reporter = options.is_reporter},
            *this),
      queue_(loop, link_,
             {.timeout = options.timeout, .silence_max = kSilentTimeouts * options.timeout},
             [this] { Flush(); }) {
  link_.Start();
}

RedisPipeline::~RedisPipeline() = default;

Function<void(Result<RedisReply>)> RedisPipeline::Entry::TakeCallback() {
  std::string().swap(question.arguments);
  return std::move(question.on_reply);
}

// --- sending ---

void RedisPipeline::Ask(RedisScriptCall question) {
  Entry entry;
  entry.question = std::move(question);
  const QuestionLoad unsent{.questions = 0, .bytes = link_.unsent_bytes()};
  if (queue_.Ask(std::move(entry), unsent) && link_.ready()) queue_.SendLater();
}

void RedisPipeline::Flush() {
  auto& waiting = queue_.waiting();
  if (!link_.ready() || waiting.empty()) return;
  if (queue_.sent().empty()) queue_.NoteProgress();
  std::string out;
  bool writes = false;
  while (!waiting.empty()) {
    Entry entry = std::move(waiting.front());
    waiting.pop_front();
    writes = writes || entry.question.writes;
    Send(std::move(entry), out);
  }
  if (writes && options_.wait_replicas > 0) {
    // Half of a question's timeout, so that the reply to WAIT is in time.
    AppendRedisCommand({"WAIT", std::to_string(options_.wait_replicas),
                        std::to_string(std::max<std::int64_t>(1, options_.timeout.count() / 2))},
                       out);
    AppendControl(Entry::Kind::kWait);
  }
  link_.Write(out);
}

void RedisPipeline::Send(Entry entry, std::string& out) {
  const RedisScriptCall& question = entry.question;
  if (entry.load_first) {
    AppendRedisCommand({"SCRIPT", "LOAD", RedisScriptText(question.script)}, out);
    AppendControl(Entry::Kind::kScriptLoad);
  }
  AppendRedisArgumentCount(2 + question.argument_count, out);
  AppendRedisArgument("EVALSHA", out);
  AppendRedisArgument(link_.name_of(question.script), out);
  if (question.arguments.size() <= kGatherBytes) {
    out += question.arguments;
  } else {
    link_.Write(out, question.arguments);
    out.clear();
  }
  queue_.sent().push_back(std::move(entry));
}

void RedisPipeline::AppendControl(Entry::Kind kind) {
  Entry entry;
  entry.kind = kind;
  entry.answered = true;
  queue_.sent().push_back(std::move(entry));
}

// --- replies ---

void RedisPipeline::OnLinkReply(RedisReply reply) {
  queue_.NoteProgress();
  auto& sent = queue_.sent();
  if (replied_ == sent.size()) {
    return link_.Drop(link_.Fail(ErrorCode::kCorrupt, "sent a reply that nobody asked for"));
  }
  Entry& entry = sent[replied_++];
  switch (entry.kind) {
    case Entry::Kind::kQuestion:
      TakeAnswer(entry, std::move(reply));
      break;
    case Entry::Kind::kWait:
      TakeAcknowledgements(reply.value());
      break;
    case Entry::Kind::kScriptLoad:  // if it failed, the EVALSHA behind it reports why
      break;
  }
  DropDone();
}

void RedisPipeline::TakeAnswer(Entry& entry, RedisReply reply) {
  if (entry.answered) return;
  if (const auto error = reply.value().error()) return TakeError(entry, *error);
  if (entry.question.writes && options_.wait_replicas > 0) {
    entry.reply = std::move(reply);
  } else {
    queue_.Answer(entry, std::move(reply));
  }
}

void RedisPipeline::TakeError(Entry& entry, std::string_view error) {
  if (error.starts_with("NOSCRIPT") && !entry.load_first) {
    Entry again;
    again.question = std::move(entry.question);
    again.deadline = entry.deadline;
    again.load_first = true;
    entry.answered = true;
    queue_.waiting().push_back(std::move(again));
    return queue_.SendLater();
  }
  Error explained = ExplainRedisError(link_.where(), error);
  // Another server is the primary now; the name of this one may lead to it.
  if (error.find("READONLY") != std::string_view::npos) link_.Drop(explained);
  queue_.Answer(entry, std::move(explained));
}

void RedisPipeline::TakeAcknowledgements(RedisValue count) {
  const std::int64_t replicas = count.integer().value_or(0);
  for (std::size_t i = 0; i < replied_; ++i) {
    Entry& entry = queue_.sent()[i];
    if (entry.answered) continue;
    if (replicas >= options_.wait_replicas) {
      queue_.Answer(entry, std::move(entry.reply));
    } else {
      queue_.Answer(
          entry, link_.Fail(ErrorCode::kUnavailable,
                            "has the write on " + std::to_string(replicas) + " replicas of the " +
                                std::to_string(options_.wait_replicas) + " that are asked for"));
    }
  }
}

void RedisPipeline::DropDone() {
  auto& sent = queue_.sent();
  while (replied_ > 0 && sent.front().answered) {
    sent.pop_front();
    --replied_;
  }
}

void RedisPipeline::OnLinkLost(const Error& why) {
  replied_ = 0;
  queue_.FailSent(why);
}

}  // namespace idem::store
