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
using ports::LookUpRequest;
using ports::LookUpReservation;
using ports::NoteResult;
using ports::ReadResult;
using ports::RecordFilter;
using ports::RecordPage;
using ports::Transition;
using ports::TransitionResult;

/// Builds a call of a script: first all its keys, then its other arguments.
class Call {
 public:
  Call(RedisScript script, bool writes, std::initializer_list<std::string_view> keys) {
    call_.script = script;
    call_.writes = writes;
    Add(std::to_string(keys.size()));
    for (const std::string_view key : keys) Add(key);
  }

  Call& Add(std::string_view argument) {
    AppendRedisArgument(argument, call_.arguments);
    ++call_.argument_count;
    return *this;
  }
  Call& Add(const Token& token) { return Add(std::string_view(token.ToHex())); }
  Call& Add(std::int64_t number) { return Add(std::string_view(std::to_string(number))); }
  // Redis refuses an expiry of zero.
  Call& AddLife(Milliseconds life) { return Add(std::max<std::int64_t>(1, life.count())); }
  Call& Add(const LimitRequest& limit) {
    const bool bucket = limit.rule.algorithm == ports::LimitAlgorithm::kTokenBucket;
    Add(limit.token).Add(std::string_view(bucket ? "bucket" : "window"));
    Add(std::int64_t{limit.rule.requests});
    Add(limit.rule.per.count());
    return Add(std::int64_t{limit.rule.burst});
  }

  RedisScriptCall Take() && { return std::move(call_); }

 private:
  RedisScriptCall call_;
};

/// Only Redis has the times of the record, so all of them are zero here.
std::string RestOfCompleted(const Transition& what) {
  return EncodeRest(idempotency::MakeCompleted(what.claim, StoreTime{}, StoreTime{}, what.response,
                                               what.ttl, StoreTime{}));
}

Call CompleteCall(const RedisKeys& keys, const Transition& what) {
  Call call(RedisScript::kComplete, true, {keys.Record(what.record_key)});
  call.Add(what.claim.token).Add(what.claim.lease.count()).AddLife(what.ttl);
  call.Add(RestOfCompleted(what));
  return call;
}

Call MarkUnknownCall(const RedisKeys& keys, const Transition& what) {
  Call call(RedisScript::kMarkUnknown, true, {keys.Record(what.record_key)});
  call.Add(what.claim.token).Add(what.claim.lease.count()).AddLife(what.claim.unknown_ttl);
  call.Add(EncodeRest(idempotency::MakeUnknown(what.claim, StoreTime{}, StoreTime{}, StoreTime{})));
  return call;
}

Call WithdrawCall(const RedisKeys& keys, const Transition& what) {
  const Token& token = what.claim.token;
  Call call(RedisScript::kWithdraw, false,
            {keys.Record(what.record_key), keys.Withdrawn(token.ToHex())});
  call.Add(token).AddLife(what.claim.lease);
  return call;
}

Call ResolveUnknownCall(const RedisKeys& keys, const Transition& what) {
  Call call(RedisScript::kResolveUnknown, true, {keys.Record(what.record_key)});
  call.Add(what.claim.token).AddLife(what.ttl);
  call.Add(RestOfCompleted(what));
  return call;
}

/// kRelease and kReleaseUnknown.
Call ReleaseCall(RedisScript script, const RedisKeys& keys, const Transition& what) {
  Call call(script, false, {keys.Record(what.record_key)});
  call.Add(what.claim.token);
  return call;
}

Call CallOf(const RedisKeys& keys, const Transition& what) {
  switch (what.kind) {
    case Transition::Kind::kComplete:
      return CompleteCall(keys, what);
    case Transition::Kind::kRelease:
      return ReleaseCall(RedisScript::kRelease, keys, what);
    case Transition::Kind::kMarkUnknown:
      return MarkUnknownCall(keys, what);
    case Transition::Kind::kWithdraw:
      return WithdrawCall(keys, what);
    case Transition::Kind::kReleaseUnknown:
      return ReleaseCall(RedisScript::kReleaseUnknown, keys, what);
    case Transition::Kind::kResolveUnknown:
      break;
  }
  return ResolveUnknownCall(keys, what);
}

Result<ReadResult> ReadRecordAnswer(RedisValue reply) {
  Result<TransitionResult> answer = ReadSettleAnswer(reply);
  if (!answer) return std::move(answer).error();
  return ReadResult{std::move(answer->record), answer->now};
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

template <class Answer, class Reader>
Ticket RedisStore::Run(RedisScriptCall call, Function<void(Result<Answer>)> on_answer,
                       Reader read) {
  auto [ticket, completion] = Ask<Result<Answer>>(std::move(on_answer));
  call.on_reply = [completion = std::move(completion), read](Result<RedisReply> reply) mutable {
    if (!reply) return completion(std::move(reply).error());
    completion(read(reply->value()));
  };
  pipeline_.Ask(std::move(call));
  return std::move(ticket);
}

Ticket RedisStore::Begin(BeginRequest request, OnBegun on_begun) {
  const Claim& claim = request.claim;
  const std::string record = keys_.Record(request.record_key);
  const std::string token = claim.token.ToHex();
  const std::string mark = keys_.Withdrawn(token);
  const bool limited = request.limit.has_value();
  Call call = limited ? Call(RedisScript::kBegin, true,
                             {record, mark, keys_.Limit(request.limit->subject),
                              keys_.Counted(request.limit->token.ToHex())})
                      : Call(RedisScript::kBegin, true, {record, mark});
  call.Add(std::string_view(token));
  call.Add(std::string_view(request.replaces ? request.replaces->ToHex() : ""));
  const idempotency::Record executing = idempotency::MakeExecuting(claim, StoreTime{});
  call.Add(claim.lease.count()).AddLife(executing.expires_at - StoreTime{});
  call.Add(EncodeRest(executing));
  if (limited) call.Add(*request.limit);
  return Run<BeginResult>(std::move(call).Take(), std::move(on_begun),
                          [limited](RedisValue reply) { return ReadBeginAnswer(reply, limited); });
}

Ticket RedisStore::Apply(const Transition& transition, OnApplied on_applied) {
  return Run<TransitionResult>(CallOf(keys_, transition).Take(), std::move(on_applied),
                               ReadSettleAnswer);
}

Ticket RedisStore::ReserveLookUp(const LookUpRequest& request, OnLookUpReserved on_reserved) {
  Call call(RedisScript::kClaimLookUp, false,
            {keys_.Record(request.record_key), keys_.LookUp(request.token.ToHex())});
  call.Add(request.token).AddLife(request.pause);
  return Run<LookUpReservation>(std::move(call).Take(), std::move(on_reserved), ReadLookUpAnswer);
}

Ticket RedisStore::Read(std::string_view record_key, OnRead on_read) {
  Call call(RedisScript::kLook, false, {keys_.Record(record_key)});
  return Run<ReadResult>(std::move(call).Take(), std::move(on_read), ReadRecordAnswer);
}

Ticket RedisStore::Count(const LimitRequest& request, OnCounted on_counted) {
  Call call(RedisScript::kCount, false,
            {keys_.Limit(request.subject), keys_.Counted(request.token.ToHex())});
  call.Add(request);
  return Run<LimitResult>(std::move(call).Take(), std::move(on_counted), ReadVerdict);
}

Ticket RedisStore::List(const RecordFilter& filter, std::string_view cursor, OnListed on_listed) {
  constexpr std::string_view kFromTheFirst = "0";
  constexpr std::int64_t kCount = 250;
  constexpr std::size_t kCursorMax = 20;
  auto [ticket, completion] = Ask<Result<RecordPage>>(std::move(on_listed));
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

// A page has no completed records, so the record whose hash is searched for is read in a call of
// its own. There is at most one: no other key has that hash.
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
    Result<ReadResult> read = ReadRecordAnswer(reply->value());
    if (!read) return completion(std::move(read).error());
    if (read->record) answer.found.push_back({std::move(record_key), std::move(*read->record)});
    completion(std::move(answer));
  };
  pipeline_.Ask(std::move(asked));
}

Ticket RedisStore::Read(std::string_view name, OnNote on_note) {
  Call call(RedisScript::kReadNote, false, {RedisKeys::Note(name)});
  return Run<NoteResult>(std::move(call).Take(), std::move(on_note), ReadNoteAnswer);
}

Ticket RedisStore::Write(std::string_view name, const std::optional<std::string>& replaces,
                         std::string_view value, OnNote on_note) {
  Call call(RedisScript::kWriteNote, true, {RedisKeys::Note(name)});
  call.Add(std::int64_t{replaces ? 1 : 0}).Add(std::string_view(replaces ? *replaces : ""));
  call.Add(value);
  return Run<NoteResult>(std::move(call).Take(), std::move(on_note), ReadNoteAnswer);
}

std::optional<std::string> RedisStore::unavailable_reason() const {
  return pipeline_.unavailable_reason();
}

}  // namespace idem::store
