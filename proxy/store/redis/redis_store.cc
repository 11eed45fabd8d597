#include "proxy/store/redis/redis_store.h"

#include <algorithm>
#include <utility>

#include "proxy/idempotency/key.h"
#include "proxy/idempotency/record_codec.h"

namespace idem::store {
namespace {

using idempotency::Claim;
using idempotency::Milliseconds;
using idempotency::Token;
using ports::BeginRequest;
using ports::BeginResult;
using ports::LimitRequest;
using ports::LimitResult;
using ports::LookUpReservation;
using ports::NoteResult;
using ports::RecordFilter;
using ports::RecordPage;
using ports::TransitionResult;

/// One call of a script, argument by argument: first all its keys.
class Call {
 public:
  Call(RedisScript script, bool writes, std::initializer_list<std::string_view> keys) {
    question_.script = script;
    question_.writes = writes;
    Add(std::to_string(keys.size()));
    for (const std::string_view key : keys) Add(key);
  }

  Call& Add(std::string_view argument) {
    AppendRedisArgument(argument, question_.arguments);
    ++question_.argument_count;
    return *this;
  }
  Call& Add(const Token& token) { return Add(std::string_view(token.ToHex())); }
  Call& Add(std::int64_t number) { return Add(std::string_view(std::to_string(number))); }
  // Redis refuses a life of no length.
  Call& AddLife(Milliseconds life) { return Add(std::max<std::int64_t>(1, life.count())); }
  Call& Add(const LimitRequest& limit) {
    const bool bucket = limit.rule.algorithm == ports::LimitAlgorithm::kTokenBucket;
    Add(limit.token).Add(std::string_view(bucket ? "bucket" : "window"));
    Add(std::int64_t{limit.rule.requests});
    Add(limit.rule.per.count());
    return Add(std::int64_t{limit.rule.burst});
  }

  RedisScriptCall Take() && { return std::move(question_); }

 private:
  RedisScriptCall question_;
};

template <class Answer, class Read>
auto Reading(Completion<Result<Answer>> completion, Read read) {
  return [completion = std::move(completion), read](Result<RedisReply> reply) mutable {
    if (!reply) return completion(std::move(reply).error());
    completion(read(reply->value()));
  };
}

}  // namespace

Result<std::unique_ptr<RedisStore>> RedisStore::Open(event::EventLoop& loop,
                                                     event::Resolver& resolver, Random& random,
                                                     const StoreOptions& options,
                                                     bool is_reporter) {
  Result<RedisAddress> address = ParseRedisUrl(options.url);
  if (!address) return address.error();
  return std::unique_ptr<RedisStore>(
      new RedisStore(loop, resolver, random, std::move(*address), options, is_reporter));
}

RedisStore::RedisStore(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                       RedisAddress address, const StoreOptions& options, bool is_reporter)
    : loop_(loop),
      keys_{options.key_prefix},
      pipeline_(loop, resolver, random, std::move(address),
                {.timeout = options.timeout,
                 .wait_replicas = options.wait_replicas,
                 .require_durable = options.require_durable,
                 .is_reporter = is_reporter}) {}

Ticket RedisStore::Begin(BeginRequest question, OnBegun on_answer) {
  const Claim& claim = question.claim;
  const std::string record = keys_.Record(question.record_key);
  const std::string token = claim.token.ToHex();
  const std::string mark = keys_.Withdrawn(token);
  const bool limited = question.limit.has_value();
  Call call = limited ? Call(RedisScript::kBegin, true,
                             {record, mark, keys_.Limit(question.limit->subject),
                              keys_.Counted(question.limit->token.ToHex())})
                      : Call(RedisScript::kBegin, true, {record, mark});
  call.Add(std::string_view(token));
  call.Add(std::string_view(question.replaces ? question.replaces->ToHex() : ""));
  call.Add(claim.lease.count()).AddLife(claim.lease + claim.unknown_ttl);
  call.Add(EncodeRest(idempotency::MakeExecuting(claim, StoreTime{})));
  if (limited) call.Add(*question.limit);

  auto [ticket, completion] = Ask<Result<BeginResult>>(std::move(on_answer));
  RedisScriptCall asked = std::move(call).Take();
  asked.on_reply = Reading(std::move(completion),
                           [limited](RedisValue reply) { return ReadBeginAnswer(reply, limited); });
  pipeline_.Ask(std::move(asked));
  return std::move(ticket);
}

Ticket RedisStore::Settle(RedisScriptCall question, OnSettled on_answer) {
  auto [ticket, completion] = Ask<Result<TransitionResult>>(std::move(on_answer));
  question.on_reply = Reading(std::move(completion), ReadSettleAnswer);
  pipeline_.Ask(std::move(question));
  return std::move(ticket);
}

Ticket RedisStore::Complete(std::string_view record_key, const Claim& claim,
                            const idempotency::StoredResponse& response, Milliseconds ttl,
                            OnSettled on_answer) {
  Call call(RedisScript::kComplete, true, {keys_.Record(record_key)});
  call.Add(claim.token).Add(claim.lease.count()).AddLife(ttl);
  call.Add(EncodeRest(idempotency::MakeCompleted(claim, StoreTime{}, response, ttl, StoreTime{})));
  return Settle(std::move(call).Take(), std::move(on_answer));
}

Ticket RedisStore::Release(std::string_view record_key, const Token& token, OnSettled on_answer) {
  Call call(RedisScript::kRelease, false, {keys_.Record(record_key)});
  call.Add(token);
  return Settle(std::move(call).Take(), std::move(on_answer));
}

Ticket RedisStore::MarkUnknown(std::string_view record_key, const Claim& claim,
                               OnSettled on_answer) {
  Call call(RedisScript::kMarkUnknown, true, {keys_.Record(record_key)});
  call.Add(claim.token).Add(claim.lease.count()).AddLife(claim.unknown_ttl);
  call.Add(EncodeRest(idempotency::MakeUnknown(claim, StoreTime{}, StoreTime{}, StoreTime{})));
  return Settle(std::move(call).Take(), std::move(on_answer));
}

Ticket RedisStore::Withdraw(std::string_view record_key, const Token& token, Milliseconds lease,
                            OnSettled on_answer) {
  Call call(RedisScript::kWithdraw, false,
            {keys_.Record(record_key), keys_.Withdrawn(token.ToHex())});
  call.Add(token).AddLife(lease);
  return Settle(std::move(call).Take(), std::move(on_answer));
}

Ticket RedisStore::ReserveLookUp(std::string_view record_key, const Token& token,
                                 Milliseconds pause, OnLookUpReserved on_answer) {
  Call call(RedisScript::kClaimLookUp, false,
            {keys_.Record(record_key), keys_.LookUp(token.ToHex())});
  call.Add(token).AddLife(pause);
  auto [ticket, completion] = Ask<Result<LookUpReservation>>(std::move(on_answer));
  RedisScriptCall asked = std::move(call).Take();
  asked.on_reply = Reading(std::move(completion), ReadLookUpAnswer);
  pipeline_.Ask(std::move(asked));
  return std::move(ticket);
}

Ticket RedisStore::ReleaseUnknown(std::string_view record_key, const Token& token,
                                  OnSettled on_answer) {
  Call call(RedisScript::kReleaseUnknown, false, {keys_.Record(record_key)});
  call.Add(token);
  return Settle(std::move(call).Take(), std::move(on_answer));
}

Ticket RedisStore::ResolveUnknown(std::string_view record_key, const Claim& claim,
                                  const idempotency::StoredResponse& response, Milliseconds ttl,
                                  OnSettled on_answer) {
  Call call(RedisScript::kResolveUnknown, true, {keys_.Record(record_key)});
  call.Add(claim.token).AddLife(ttl);
  call.Add(EncodeRest(idempotency::MakeCompleted(claim, StoreTime{}, response, ttl, StoreTime{})));
  return Settle(std::move(call).Take(), std::move(on_answer));
}

Ticket RedisStore::Look(std::string_view record_key, OnSettled on_answer) {
  Call call(RedisScript::kLook, false, {keys_.Record(record_key)});
  return Settle(std::move(call).Take(), std::move(on_answer));
}

Ticket RedisStore::Count(const LimitRequest& question,
                         Function<void(Result<LimitResult>)> on_answer) {
  Call call(RedisScript::kCount, false,
            {keys_.Limit(question.subject), keys_.Counted(question.token.ToHex())});
  call.Add(question);
  auto [ticket, completion] = Ask<Result<LimitResult>>(std::move(on_answer));
  RedisScriptCall asked = std::move(call).Take();
  asked.on_reply = Reading(std::move(completion), ReadVerdict);
  pipeline_.Ask(std::move(asked));
  return std::move(ticket);
}

Ticket RedisStore::List(const RecordFilter& filter, std::string_view cursor, OnListed on_answer) {
  constexpr std::string_view kFromTheFirst = "0";
  constexpr std::int64_t kCount = 250;
  constexpr std::size_t kCursorMax = 20;
  auto [ticket, completion] = Ask<Result<RecordPage>>(std::move(on_answer));
  const bool is_mine = cursor.size() <= kCursorMax &&
                       std::ranges::all_of(cursor, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_mine) {
    loop_.Post(
        [completion = std::move(completion)]() mutable { completion(ports::NoSuchCursor()); });
    return std::move(ticket);
  }
  Call call(RedisScript::kList, false, {});
  call.Add(cursor.empty() ? kFromTheFirst : cursor).Add(std::string_view(keys_.Pattern()));
  call.Add(kCount);
  RedisScriptCall asked = std::move(call).Take();
  asked.on_reply = [this, filter,
                    completion = std::move(completion)](Result<RedisReply> reply) mutable {
    if (!reply) return completion(std::move(reply).error());
    Result<RedisPage> page = ReadPage(reply->value(), keys_.prefix);
    if (!page) return completion(std::move(page).error());
    TakePage(filter, std::move(*page), std::move(completion));
  };
  pipeline_.Ask(std::move(asked));
  return std::move(ticket);
}

// A completed record whose hash is the one that is looked for is read by itself. There is one at
// most: other keys do not have that hash.
void RedisStore::TakePage(const RecordFilter& filter, RedisPage page,
                          Completion<Result<RecordPage>> completion) {
  RecordPage answer{{}, std::move(page.cursor), page.now};
  std::optional<std::string> completed;
  for (RedisPage::Entry& entry : page.entries) {
    if (entry.record) {
      const bool fits = !entry.record->expired_at(page.now) &&
                        filter.Fits(entry.record_key, *entry.record, page.now);
      if (fits) answer.found.push_back({std::move(entry.record_key), std::move(*entry.record)});
    } else if (!filter.key_hash.empty() &&
               idempotency::KeyHash(entry.record_key) == filter.key_hash) {
      completed = std::move(entry.record_key);
    }
  }
  if (!completed) return completion(std::move(answer));
  Call call(RedisScript::kLook, false, {keys_.Record(*completed)});
  RedisScriptCall asked = std::move(call).Take();
  asked.on_reply = [record_key = std::move(*completed), answer = std::move(answer),
                    completion = std::move(completion)](Result<RedisReply> reply) mutable {
    if (!reply) return completion(std::move(reply).error());
    Result<TransitionResult> seen = ReadSettleAnswer(reply->value());
    if (!seen) return completion(std::move(seen).error());
    if (seen->record) answer.found.push_back({std::move(record_key), std::move(*seen->record)});
    completion(std::move(answer));
  };
  pipeline_.Ask(std::move(asked));
}

Ticket RedisStore::AskNote(RedisScriptCall question, OnNote on_answer) {
  auto [ticket, completion] = Ask<Result<NoteResult>>(std::move(on_answer));
  question.on_reply = Reading(std::move(completion), ReadNoteAnswer);
  pipeline_.Ask(std::move(question));
  return std::move(ticket);
}

Ticket RedisStore::ReadNote(std::string_view name, OnNote on_answer) {
  Call call(RedisScript::kReadNote, false, {RedisKeys::Note(name)});
  return AskNote(std::move(call).Take(), std::move(on_answer));
}

Ticket RedisStore::WriteNote(std::string_view name, const std::optional<std::string>& replaces,
                             std::string_view value, OnNote on_answer) {
  Call call(RedisScript::kWriteNote, true, {RedisKeys::Note(name)});
  call.Add(std::int64_t{replaces ? 1 : 0}).Add(std::string_view(replaces ? *replaces : ""));
  call.Add(value);
  return AskNote(std::move(call).Take(), std::move(on_answer));
}

std::optional<std::string> RedisStore::unavailable_reason() const {
  return pipeline_.unavailable_reason();
}

}  // namespace idem::store
