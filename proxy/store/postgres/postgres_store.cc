#include "proxy/store/postgres/postgres_store.h"

#include <algorithm>
#include <utility>

#include "proxy/base/digest.h"
#include "proxy/base/hex.h"
#include "proxy/idempotency/record_codec.h"
#include "proxy/store/postgres/row_decoder.h"
#include "proxy/store/postgres/statements.h"

namespace idem::store {
namespace {

using idempotency::Claim;
using libpq::Parameter;
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

// The id of a row is a digest, because a text may be longer than an index allows.
std::string IdOf(const std::string& prefix, std::string_view text) {
  const Sha256Digest digest = Sha256::Of(text);
  return prefix + std::string(digest.begin(), digest.end());
}

constexpr std::size_t kDigestBytes = 32;

std::optional<std::string> FromHex(std::string_view digits) {
  std::vector<std::uint8_t> bytes(digits.size() / 2);
  if (!idem::FromHex(digits, bytes)) return {};
  return std::string(bytes.begin(), bytes.end());
}

/// Returns the first text behind all that begin with `text`, null if there is none.
std::optional<std::string> Behind(std::string text) {
  while (!text.empty() && text.back() == '\xff') text.pop_back();
  if (text.empty()) return {};
  text.back() = static_cast<char>(static_cast<std::uint8_t>(text.back()) + 1);
  return text;
}

Parameter BytesOrNull(const std::optional<std::string>& bytes) {
  constexpr std::uint32_t kBytea = 17;
  return {bytes.value_or(""), !bytes, true, kBytea};
}

Parameter Number(std::size_t number) { return Parameter::Text(std::to_string(number)); }

std::string_view AskOf(Transition::Kind kind) {
  switch (kind) {
    case Transition::Kind::kComplete:
      return "complete";
    case Transition::Kind::kRelease:
      return "release";
    case Transition::Kind::kMarkUnknown:
      return "unknown";
    case Transition::Kind::kWithdraw:
      return "withdraw";
    case Transition::Kind::kReleaseUnknown:
      return "release unknown";
    case Transition::Kind::kResolveUnknown:
      break;
  }
  return "resolve unknown";
}

/// Only the database has the times of the record, so all of them are zero here.
std::string RestOfCompleted(const Transition& what) {
  return EncodeRest(idempotency::MakeCompleted(what.claim, StoreTime{}, StoreTime{}, what.response,
                                               what.ttl, StoreTime{}));
}

std::string RestOfUnknown(const Claim& claim) {
  return EncodeRest(idempotency::MakeUnknown(claim, StoreTime{}, StoreTime{}, StoreTime{}));
}

Result<ReadResult> ReadRecordAnswer(const PostgresStepRow& row) {
  Result<TransitionResult> answer = ReadSettleAnswer(row);
  if (!answer) return std::move(answer).error();
  return ReadResult{std::move(answer->record), answer->now};
}

}  // namespace

Result<std::unique_ptr<PostgresStore>> PostgresStore::Open(event::EventLoop& loop,
                                                           event::Resolver& resolver,
                                                           Random& random,
                                                           const StoreOptions& options,
                                                           bool is_reporter) {
  Result<libpq::Url> url = libpq::Url::Parse(options.url);
  if (!url) return url.error();
  return std::unique_ptr<PostgresStore>(
      new PostgresStore(loop, resolver, random, std::move(*url), options, is_reporter));
}

PostgresStore::PostgresStore(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                             libpq::Url url, const StoreOptions& options, bool is_reporter)
    : loop_(loop),
      prefix_(options.key_prefix),
      batches_(loop, resolver, random, std::move(url),
               {.timeout = options.timeout,
                .require_durable = options.require_durable,
                .is_reporter = is_reporter}) {
  if (is_reporter) sweeper_.emplace(loop, batches_);
}

PostgresStepCall PostgresStore::CallFor(std::string_view ask, std::string_view record_key) const {
  PostgresStepCall call;
  call.ask = ask;
  call.id = IdOf(prefix_, record_key);
  call.key = prefix_ + std::string(record_key);
  return call;
}

PostgresStepCall PostgresStore::CallFor(const Transition& transition) const {
  const Claim& claim = transition.claim;
  PostgresStepCall call = CallFor(AskOf(transition.kind), transition.record_key);
  call.token = claim.token.ToHex();
  switch (transition.kind) {
    case Transition::Kind::kComplete:
      call.lease_ms = claim.lease.count();
      call.keep_ms = transition.ttl.count();
      call.rest = RestOfCompleted(transition);
      break;
    case Transition::Kind::kMarkUnknown:
      call.lease_ms = claim.lease.count();
      call.keep_ms = claim.unknown_ttl.count();
      call.rest = RestOfUnknown(claim);
      break;
    case Transition::Kind::kWithdraw:
      call.keep_ms = claim.lease.count();
      break;
    case Transition::Kind::kResolveUnknown:
      call.keep_ms = transition.ttl.count();
      call.rest = RestOfCompleted(transition);
      break;
    case Transition::Kind::kRelease:
    case Transition::Kind::kReleaseUnknown:
      break;
  }
  return call;
}

void PostgresStore::AddLimit(PostgresStepCall& call, const LimitRequest& limit) const {
  call.subject = IdOf(prefix_, limit.subject);
  call.limit = limit;
}

template <class Answer, class Reader>
Ticket PostgresStore::Run(PostgresStepCall call, Function<void(Result<Answer>)> on_answer,
                          Reader read) {
  auto [ticket, completion] = Ask<Result<Answer>>(std::move(on_answer));
  call.on_answer = [completion = std::move(completion), read](Result<PostgresStepRow> row) mutable {
    if (!row) return completion(std::move(row).error());
    completion(read(*row));
  };
  batches_.Ask(std::move(call));
  return std::move(ticket);
}

Ticket PostgresStore::Begin(BeginRequest request, OnBegun on_begun) {
  const Claim& claim = request.claim;
  PostgresStepCall call = CallFor("begin", request.record_key);
  call.token = claim.token.ToHex();
  if (request.replaces) call.replaced = request.replaces->ToHex();
  call.lease_ms = claim.lease.count();
  const idempotency::Record executing = idempotency::MakeExecuting(claim, StoreTime{});
  call.keep_ms = (executing.expires_at - StoreTime{}).count();
  call.rest = EncodeRest(executing);
  const bool limited = request.limit.has_value();
  if (limited) AddLimit(call, *request.limit);
  return Run<BeginResult>(
      std::move(call), std::move(on_begun),
      [limited](const PostgresStepRow& row) { return ReadBeginAnswer(row, limited); });
}

Ticket PostgresStore::Apply(const Transition& transition, OnApplied on_applied) {
  return Run<TransitionResult>(CallFor(transition), std::move(on_applied), ReadSettleAnswer);
}

Ticket PostgresStore::ReserveLookUp(const LookUpRequest& request, OnLookUpReserved on_reserved) {
  PostgresStepCall call = CallFor("look up", request.record_key);
  call.token = request.token.ToHex();
  call.keep_ms = request.pause.count();
  return Run<LookUpReservation>(std::move(call), std::move(on_reserved), ReadLookUpAnswer);
}

Ticket PostgresStore::Read(std::string_view record_key, OnRead on_read) {
  return Run<ReadResult>(CallFor("look", record_key), std::move(on_read), ReadRecordAnswer);
}

Ticket PostgresStore::Count(const LimitRequest& request, OnCounted on_counted) {
  PostgresStepCall call;
  call.ask = "count";
  AddLimit(call, request);
  return Run<LimitResult>(std::move(call), std::move(on_counted), ReadVerdict);
}

// A key hash is the beginning of an id, so that a search for it reads only one record.
Ticket PostgresStore::List(const RecordFilter& filter, std::string_view cursor,
                           OnListed on_listed) {
  auto [ticket, completion] = Ask<Result<RecordPage>>(std::move(on_listed));
  const std::optional<std::string> hash = FromHex(filter.key_hash);
  const std::optional<std::string> last = FromHex(cursor);
  const std::string all = prefix_ + hash.value_or("");
  const std::size_t id_bytes = prefix_.size() + kDigestBytes;
  const bool is_mine =
      cursor.empty() || (last && last->starts_with(all) && last->size() >= all.size());
  if (!is_mine || !hash) {
    loop_.Post([completion = std::move(completion), is_mine]() mutable {
      if (!is_mine) return completion(ports::NoSuchCursor());
      completion(RecordPage{});  // no record has a hash that is none
    });
    return std::move(ticket);
  }
  libpq::Statement statement;
  statement.sql = PostgresListSql();
  statement.binary_rows = true;
  statement.parameters = {BytesOrNull(cursor.empty() ? all : *last), BytesOrNull(Behind(all)),
                          Number(id_bytes), Number(filter.key_hash.empty() ? 0 : 1)};
  batches_.Run(std::move(statement), [this, filter, completion = std::move(completion)](
                                         Result<libpq::Rows> rows) mutable {
    if (!rows) return completion(std::move(rows).error());
    completion(ReadListAnswer(*rows, filter, prefix_));
  });
  return std::move(ticket);
}

Ticket PostgresStore::RunNote(libpq::Statement statement, OnNote on_note) {
  auto [ticket, completion] = Ask<Result<NoteResult>>(std::move(on_note));
  batches_.Run(std::move(statement),
               [completion = std::move(completion)](Result<libpq::Rows> rows) mutable {
                 if (!rows) return completion(std::move(rows).error());
                 completion(ReadNoteAnswer(*rows));
               });
  return std::move(ticket);
}

Ticket PostgresStore::Read(std::string_view name, OnNote on_note) {
  return RunNote({.sql = PostgresReadNoteSql(), .parameters = {Parameter::Text(name)}},
                 std::move(on_note));
}

Ticket PostgresStore::Write(std::string_view name, const std::optional<std::string>& replaces,
                            std::string_view value, OnNote on_note) {
  return RunNote({.sql = PostgresWriteNoteSql(),
                  .parameters = {Parameter::Text(name),
                                 replaces ? Parameter::Text(*replaces) : Parameter::Null(),
                                 Parameter::Text(value)}},
                 std::move(on_note));
}

}  // namespace idem::store
