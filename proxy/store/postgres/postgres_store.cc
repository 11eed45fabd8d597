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
using idempotency::Milliseconds;
using idempotency::Token;
using libpq::Parameter;
using ports::BeginRequest;
using ports::BeginResult;
using ports::LimitRequest;
using ports::LimitResult;
using ports::LookUpReservation;
using ports::NoteResult;
using ports::RecordFilter;
using ports::RecordPage;
using ports::TransitionResult;

// Under which a row stands: text may be longer than an index allows, its digest is not.
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

/// The first text behind all that begin with `text`; nothing where there is none.
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

template <class Answer, class Read>
auto Reading(Completion<Result<Answer>> completion, Read read) {
  return [completion = std::move(completion), read](Result<PostgresStepRow> answer) mutable {
    if (!answer) return completion(std::move(answer).error());
    completion(read(*answer));
  };
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
                .is_reporter = is_reporter}) {}

PostgresStepCall PostgresStore::About(std::string_view ask, std::string_view record_key) const {
  PostgresStepCall question;
  question.ask = ask;
  question.id = IdOf(prefix_, record_key);
  question.key = prefix_ + std::string(record_key);
  return question;
}

void PostgresStore::Limit(PostgresStepCall& question, const LimitRequest& limit) const {
  question.subject = IdOf(prefix_, limit.subject);
  question.limit = limit;
}

Ticket PostgresStore::Begin(BeginRequest question, OnBegun on_answer) {
  const Claim& claim = question.claim;
  PostgresStepCall asked = About("begin", question.record_key);
  asked.token = claim.token.ToHex();
  if (question.replaces) asked.replaced = question.replaces->ToHex();
  asked.lease_ms = claim.lease.count();
  asked.keep_ms = (claim.lease + claim.unknown_ttl).count();
  asked.rest = EncodeRest(idempotency::MakeExecuting(claim, StoreTime{}));
  const bool limited = question.limit.has_value();
  if (limited) Limit(asked, *question.limit);

  auto [ticket, completion] = Ask<Result<BeginResult>>(std::move(on_answer));
  asked.on_answer = Reading(std::move(completion), [limited](const PostgresStepRow& answer) {
    return ReadBeginAnswer(answer, limited);
  });
  batches_.Ask(std::move(asked));
  return std::move(ticket);
}

Ticket PostgresStore::Settle(PostgresStepCall question, OnSettled on_answer) {
  auto [ticket, completion] = Ask<Result<TransitionResult>>(std::move(on_answer));
  question.on_answer = Reading(std::move(completion), ReadSettleAnswer);
  batches_.Ask(std::move(question));
  return std::move(ticket);
}

Ticket PostgresStore::Complete(std::string_view record_key, const Claim& claim,
                               const idempotency::StoredResponse& response, Milliseconds ttl,
                               OnSettled on_answer) {
  PostgresStepCall asked = About("complete", record_key);
  asked.token = claim.token.ToHex();
  asked.lease_ms = claim.lease.count();
  asked.keep_ms = ttl.count();
  asked.rest =
      EncodeRest(idempotency::MakeCompleted(claim, StoreTime{}, response, ttl, StoreTime{}));
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::Release(std::string_view record_key, const Token& token,
                              OnSettled on_answer) {
  PostgresStepCall asked = About("release", record_key);
  asked.token = token.ToHex();
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::MarkUnknown(std::string_view record_key, const Claim& claim,
                                  OnSettled on_answer) {
  PostgresStepCall asked = About("unknown", record_key);
  asked.token = claim.token.ToHex();
  asked.lease_ms = claim.lease.count();
  asked.keep_ms = claim.unknown_ttl.count();
  asked.rest = EncodeRest(idempotency::MakeUnknown(claim, StoreTime{}, StoreTime{}, StoreTime{}));
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::Withdraw(std::string_view record_key, const Token& token, Milliseconds lease,
                               OnSettled on_answer) {
  PostgresStepCall asked = About("withdraw", record_key);
  asked.token = token.ToHex();
  asked.keep_ms = lease.count();
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::ReserveLookUp(std::string_view record_key, const Token& token,
                                    Milliseconds pause, OnLookUpReserved on_answer) {
  PostgresStepCall asked = About("look up", record_key);
  asked.token = token.ToHex();
  asked.keep_ms = pause.count();
  auto [ticket, completion] = Ask<Result<LookUpReservation>>(std::move(on_answer));
  asked.on_answer = Reading(std::move(completion), ReadLookUpAnswer);
  batches_.Ask(std::move(asked));
  return std::move(ticket);
}

Ticket PostgresStore::ReleaseUnknown(std::string_view record_key, const Token& token,
                                     OnSettled on_answer) {
  PostgresStepCall asked = About("release unknown", record_key);
  asked.token = token.ToHex();
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::ResolveUnknown(std::string_view record_key, const Claim& claim,
                                     const idempotency::StoredResponse& response, Milliseconds ttl,
                                     OnSettled on_answer) {
  PostgresStepCall asked = About("resolve unknown", record_key);
  asked.token = claim.token.ToHex();
  asked.keep_ms = ttl.count();
  asked.rest =
      EncodeRest(idempotency::MakeCompleted(claim, StoreTime{}, response, ttl, StoreTime{}));
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::Look(std::string_view record_key, OnSettled on_answer) {
  return Settle(About("look", record_key), std::move(on_answer));
}

Ticket PostgresStore::Count(const LimitRequest& question,
                            Function<void(Result<LimitResult>)> on_answer) {
  PostgresStepCall asked;
  asked.ask = "count";
  Limit(asked, question);
  auto [ticket, completion] = Ask<Result<LimitResult>>(std::move(on_answer));
  asked.on_answer = Reading(std::move(completion), ReadVerdict);
  batches_.Ask(std::move(asked));
  return std::move(ticket);
}

// A hash is the beginning of an id, so that a search for one looks at one record alone.
Ticket PostgresStore::List(const RecordFilter& filter, std::string_view cursor,
                           OnListed on_answer) {
  auto [ticket, completion] = Ask<Result<RecordPage>>(std::move(on_answer));
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

Ticket PostgresStore::AskNote(libpq::Statement statement, OnNote on_answer) {
  auto [ticket, completion] = Ask<Result<NoteResult>>(std::move(on_answer));
  batches_.Run(std::move(statement),
               [completion = std::move(completion)](Result<libpq::Rows> rows) mutable {
                 if (!rows) return completion(std::move(rows).error());
                 completion(ReadNoteAnswer(*rows));
               });
  return std::move(ticket);
}

Ticket PostgresStore::ReadNote(std::string_view name, OnNote on_answer) {
  return AskNote({.sql = PostgresReadNoteSql(), .parameters = {Parameter::Text(name)}},
                 std::move(on_answer));
}

Ticket PostgresStore::WriteNote(std::string_view name, const std::optional<std::string>& replaces,
                                std::string_view value, OnNote on_answer) {
  return AskNote({.sql = PostgresWriteNoteSql(),
                  .parameters = {Parameter::Text(name),
                                 replaces ? Parameter::Text(*replaces) : Parameter::Null(),
                                 Parameter::Text(value)}},
                 std::move(on_answer));
}

}  // namespace idem::store
