#include "proxy/store/redis/pipeline.h"

#include <algorithm>

#include "proxy/base/invariant.h"
#include "proxy/store/remote/question_queue.h"

namespace idem::store {
namespace {

// Longer arguments are handed to the connection as they are, shorter ones are gathered.
constexpr std::size_t kGatherBytes = 4 * 1024;
// Without a word from the server for that many timeouts the connection is given up.
constexpr int kSilentTimeouts = 3;

}  // namespace

RedisPipeline::RedisPipeline(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                             RedisAddress address, const Options& options)
    : loop_(loop),
      options_(options),
      link_(loop, resolver, random, std::move(address),
            {.timeout = options.timeout,
             .require_durable = options.require_durable,
             .is_reporter = options.is_reporter},
            *this) {
  link_.Start();
}

RedisPipeline::~RedisPipeline() = default;

// --- asking ---

void RedisPipeline::Ask(RedisScriptCall question) {
  if (full()) {
    return AnswerLater(std::move(question),
                       link_.Fail(ErrorCode::kUnavailable, "has too many questions to answer"));
  }
  const BootTime now = loop_.Now();
  if (!link_.within_grace()) {
    return AnswerLater(std::move(question), link_.unavailable_reason());
  }
  bytes_ += question.arguments.size();
  Entry entry;
  entry.question = std::move(question);
  entry.deadline = now + options_.timeout;
  waiting_.push_back(std::move(entry));
  if (link_.ready()) FlushLater();
  ArmTimer();
}

bool RedisPipeline::full() const {
  return waiting_.size() + in_flight_.size() >= options_.questions_max ||
         bytes_ + link_.unsent_bytes() >= options_.bytes_max;
}

void RedisPipeline::AnswerLater(RedisScriptCall question, Error error) {
  loop_.Post([on_reply = std::move(question.on_reply), error = std::move(error)]() mutable {
    on_reply(std::move(error));
  });
}

// --- sending ---

void RedisPipeline::FlushLater() {
  if (flush_.open()) return;
  auto [ticket, completion] = idem::Ask<std::monostate>([this](std::monostate) { Flush(); });
  flush_ = std::move(ticket);
  loop_.Post([turn_end = std::move(completion)]() mutable { turn_end({}); });
}

void RedisPipeline::Flush() {
  if (!link_.ready() || waiting_.empty()) return;
  if (in_flight_.empty()) heard_ = loop_.Now();
  std::string out;
  bool writes = false;
  while (!waiting_.empty()) {
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    writes = writes || entry.question.writes;
    Send(std::move(entry), out);
  }
  if (writes && options_.wait_replicas > 0) {
    // Its own limit is half of a question's, so that its answer is not itself too late.
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
  in_flight_.push_back(std::move(entry));
}

void RedisPipeline::AppendControl(Entry::Kind kind) {
  Entry entry;
  entry.kind = kind;
  entry.answered = true;
  in_flight_.push_back(std::move(entry));
}

// --- replies ---

void RedisPipeline::OnLinkReply(RedisReply reply) {
  heard_ = loop_.Now();
  if (replied_ == in_flight_.size()) {
    return link_.Drop(link_.Fail(ErrorCode::kCorrupt, "sent a reply that nobody asked for"));
  }
  Entry& entry = in_flight_[replied_++];
  switch (entry.kind) {
    case Entry::Kind::kQuestion:
      TakeAnswer(entry, std::move(reply));
      break;
    case Entry::Kind::kWait:
      TakeAcknowledgements(reply.value());
      break;
    case Entry::Kind::kScriptLoad:  // what needed it says what went wrong
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
    Answer(entry, std::move(reply));
  }
}

void RedisPipeline::TakeError(Entry& entry, std::string_view error) {
  if (error.starts_with("NOSCRIPT") && !entry.load_first) {
    Entry again;
    again.question = std::move(entry.question);
    again.deadline = entry.deadline;
    again.load_first = true;
    entry.answered = true;
    waiting_.push_back(std::move(again));
    return FlushLater();
  }
  Error explained = ExplainRedisError(link_.where(), error);
  // The primary is elsewhere now; perhaps its name leads there.
  if (error.find("READONLY") != error.npos) link_.Drop(explained);
  Answer(entry, std::move(explained));
}

void RedisPipeline::TakeAcknowledgements(RedisValue count) {
  const std::int64_t replicas = count.integer().value_or(0);
  for (std::size_t i = 0; i < replied_; ++i) {
    Entry& entry = in_flight_[i];
    if (entry.answered) continue;
    if (replicas >= options_.wait_replicas) {
      Answer(entry, std::move(entry.reply));
    } else {
      Answer(entry,
             link_.Fail(ErrorCode::kUnavailable,
                        "has the write on " + std::to_string(replicas) + " replicas of the " +
                            std::to_string(options_.wait_replicas) + " that are asked for"));
    }
  }
}

void RedisPipeline::DropDone() {
  while (replied_ > 0 && in_flight_.front().answered) {
    in_flight_.pop_front();
    --replied_;
  }
}

void RedisPipeline::Answer(Entry& entry, Result<RedisReply> answer) {
  entry.answered = true;
  bytes_ -= entry.question.arguments.size();
  std::string().swap(entry.question.arguments);
  auto on_reply = std::move(entry.question.on_reply);
  on_reply(std::move(answer));
}

// --- the link ---

void RedisPipeline::OnLinkReady() { Flush(); }

void RedisPipeline::OnLinkLost(const Error& why) {
  std::deque<Entry> lost = std::exchange(in_flight_, {});
  replied_ = 0;
  for (Entry& entry : lost) {
    if (!entry.answered) {
      Answer(entry, Error{ErrorCode::kUnavailable, why.detail + "; what was asked may be done"});
    }
  }
  ArmTimer();
}

// --- time ---

// One timer for all: it looks at every deadline a few times in a timeout's length, rather than
// being set anew for each question.
void RedisPipeline::ArmTimer() {
  if (timer_.open() || (waiting_.empty() && in_flight_.empty())) return;
  timer_ = loop_.After(options_.timeout / 8, [this] { OnTimer(); });
}

void RedisPipeline::OnTimer() {
  const BootTime now = loop_.Now();
  TimeOut(now);
  const bool silent = !in_flight_.empty() && now - heard_ >= kSilentTimeouts * options_.timeout;
  if (silent) link_.Drop(link_.Fail(ErrorCode::kTimeout, "does not answer"));
  ArmTimer();
}

// Answering may bring new questions, which are appended to waiting_.
void RedisPipeline::TimeOut(BootTime now) {
  for (std::size_t i = 0; i < in_flight_.size(); ++i) {
    Entry& entry = in_flight_[i];
    if (entry.answered || entry.deadline > now) continue;
    Answer(entry, link_.Fail(ErrorCode::kTimeout, "did not answer in time"));
  }
  const bool out_of_patience = !link_.within_grace();
  EndOverdue(waiting_, now, out_of_patience, [this](Entry& entry) {
    Answer(entry, link_.ready() ? link_.Fail(ErrorCode::kTimeout, "is too busy")
                                : link_.unavailable_reason());
  });
}

bool RedisPipeline::stalled() const {
  return !in_flight_.empty() && loop_.Now() - heard_ >= options_.timeout;
}

std::optional<std::string> RedisPipeline::unavailable_reason() const {
  if (!link_.ready()) return link_.unavailable_reason().detail;
  if (stalled()) return link_.where() + " does not answer";
  return {};
}

}  // namespace idem::store
