#include "proxy/store/postgres/postgres_store.h"

#include <algorithm>
#include <utility>

#include "proxy/base/digest.h"
#include "proxy/base/hex.h"
#include "proxy/store/postgres/row_decoder.h"
#include "proxy/store/postgres/statements.h"

namespace idem::store {
namespace {

using exchange::BeginAnswer;
using exchange::BeginQuestion;
using exchange::LimitQuestion;
using exchange::LimitVerdict;
using exchange::ListAnswer;
using exchange::LookUpAnswer;
using exchange::NoteAnswer;
using exchange::RecordFilter;
using exchange::SettleAnswer;
using idempotency::Claim;
using idempotency::Milliseconds;
using idempotency::Token;
using postgres::Parameter;

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
  return [completion = std::move(completion), read](Result<PostgresAnswer> answer) mutable {
    if (!answer) return completion(std::move(answer).error());
    completion(read(*answer));
  };
}

}  // namespace

Result<std::unique_ptr<PostgresStore>> PostgresStore::Open(event::EventLoop& loop,
                                                           event::Resolver& resolver,
                                                           Random& random,
                                                           const StoreOptions& options,
                                                           bool speaks) {
  Result<postgres::Url> url = postgres::Url::Parse(options.url);
  if (!url) return url.error();
  return std::unique_ptr<PostgresStore>(
      new PostgresStore(loop, resolver, random, std::move(*url), options, speaks));
}

PostgresStore::PostgresStore(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                             postgres::Url url, const StoreOptions& options, bool speaks)
    : loop_(loop),
      prefix_(options.key_prefix),
      batches_(loop, resolver, random, std::move(url),
               {.timeout = options.timeout,
                .require_durable = options.require_durable,
                .speaks = speaks}) {}

PostgresQuestion PostgresStore::About(std::string_view ask, std::string_view record_key) const {
  PostgresQuestion question;
  question.ask = ask;
  question.id = IdOf(prefix_, record_key);
  question.key = prefix_ + std::string(record_key);
  return question;
}

void PostgresStore::Limit(PostgresQuestion& question, const LimitQuestion& limit) const {
  question.subject = IdOf(prefix_, limit.subject);
  question.limit = limit;
}

Ticket PostgresStore::Begin(BeginQuestion question, OnBegun on_answer) {
  const Claim& claim = question.claim;
  PostgresQuestion asked = About("begin", question.record_key);
  asked.token = claim.token.ToHex();
  if (question.replaces) asked.replaced = question.replaces->ToHex();
  asked.lease_ms = claim.lease.count();
  asked.keep_ms = (claim.lease + claim.unknown_ttl).count();
  asked.rest = EncodeRest(idempotency::MakeExecuting(claim, StoreTime{}));
  const bool limited = question.limit.has_value();
  if (limited) Limit(asked, *question.limit);

  auto [ticket, completion] = Ask<Result<BeginAnswer>>(std::move(on_answer));
  asked.on_answer = Reading(std::move(completion), [limited](const PostgresAnswer& answer) {
    return ReadBeginAnswer(answer, limited);
  });
  batches_.Ask(std::move(asked));
  return std::move(ticket);
}

Ticket PostgresStore::Settle(PostgresQuestion question, OnSettled on_answer) {
  auto [ticket, completion] = Ask<Result<SettleAnswer>>(std::move(on_answer));
  question.on_answer = Reading(std::move(completion), ReadSettleAnswer);
  batches_.Ask(std::move(question));
  return std::move(ticket);
}

Ticket PostgresStore::Complete(std::string_view record_key, const Claim& claim,
                               const idempotency::StoredResponse& response, Milliseconds ttl,
                               OnSettled on_answer) {
  PostgresQuestion asked = About("complete", record_key);
  asked.token = claim.token.ToHex();
  asked.lease_ms = claim.lease.count();
  asked.keep_ms = ttl.count();
  asked.rest =
      EncodeRest(idempotency::MakeCompleted(claim, StoreTime{}, response, ttl, StoreTime{}));
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::Release(std::string_view record_key, const Token& token,
                              OnSettled on_answer) {
  PostgresQuestion asked = About("release", record_key);
  asked.token = token.ToHex();
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::MarkUnknown(std::string_view record_key, const Claim& claim,
                                  OnSettled on_answer) {
  PostgresQuestion asked = About("unknown", record_key);
  asked.token = claim.token.ToHex();
  asked.lease_ms = claim.lease.count();
  asked.keep_ms = claim.unknown_ttl.count();
  asked.rest = EncodeRest(idempotency::MakeUnknown(claim, StoreTime{}, StoreTime{}, StoreTime{}));
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::Withdraw(std::string_view record_key, const Token& token, Milliseconds lease,
                               OnSettled on_answer) {
  PostgresQuestion asked = About("withdraw", record_key);
  asked.token = token.ToHex();
  asked.keep_ms = lease.count();
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::ClaimLookUp(std::string_view record_key, const Token& token,
                                  Milliseconds pause, OnLookUp on_answer) {
  PostgresQuestion asked = About("look up", record_key);
  asked.token = token.ToHex();
  asked.keep_ms = pause.count();
  auto [ticket, completion] = Ask<Result<LookUpAnswer>>(std::move(on_answer));
  asked.on_answer = Reading(std::move(completion), ReadLookUpAnswer);
  batches_.Ask(std::move(asked));
  return std::move(ticket);
}

Ticket PostgresStore::ReleaseUnknown(std::string_view record_key, const Token& token,
                                     OnSettled on_answer) {
  PostgresQuestion asked = About("release unknown", record_key);
  asked.token = token.ToHex();
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::ResolveUnknown(std::string_view record_key, const Claim& claim,
                                     const idempotency::StoredResponse& response, Milliseconds ttl,
                                     OnSettled on_answer) {
  PostgresQuestion asked = About("resolve unknown", record_key);
  asked.token = claim.token.ToHex();
  asked.keep_ms = ttl.count();
  asked.rest =
      EncodeRest(idempotency::MakeCompleted(claim, StoreTime{}, response, ttl, StoreTime{}));
  return Settle(std::move(asked), std::move(on_answer));
}

Ticket PostgresStore::Look(std::string_view record_key, OnSettled on_answer) {
  return Settle(About("look", record_key), std::move(on_answer));
}

Ticket PostgresStore::Count(const LimitQuestion& question,
                            Function<void(Result<LimitVerdict>)> on_answer) {
  PostgresQuestion asked;
  asked.ask = "count";
  Limit(asked, question);
  auto [ticket, completion] = Ask<Result<LimitVerdict>>(std::move(on_answer));
  asked.on_answer = Reading(std::move(completion), ReadVerdict);
  batches_.Ask(std::move(asked));
  return std::move(ticket);
}

// A hash is the beginning of an id, so that a search for one looks at one record alone.
Ticket PostgresStore::List(const RecordFilter& filter, std::string_view cursor,
                           OnListed on_answer) {
  auto [ticket, completion] = Ask<Result<ListAnswer>>(std::move(on_answer));
  const std::optional<std::string> hash = FromHex(filter.key_hash);
  const std::optional<std::string> last = FromHex(cursor);
  const std::string all = prefix_ + hash.value_or("");
  const std::size_t id_bytes = prefix_.size() + kDigestBytes;
  const bool is_mine =
      cursor.empty() || (last && last->starts_with(all) && last->size() >= all.size());
  if (!is_mine || !hash) {
    loop_.Post([completion = std::move(completion), is_mine]() mutable {
      if (!is_mine) return completion(exchange::NoSuchCursor());
      completion(ListAnswer{});  // no record has a hash that is none
    });
    return std::move(ticket);
  }
  postgres::Statement statement;
  statement.sql = PostgresListSql();
  statement.binary_rows = true;
  statement.parameters = {BytesOrNull(cursor.empty() ? all : *last), BytesOrNull(Behind(all)),
                          Number(id_bytes), Number(filter.key_hash.empty() ? 0 : 1)};
  batches_.Run(std::move(statement), [this, filter, completion = std::move(completion)](
                                         Result<postgres::Rows> rows) mutable {
    if (!rows) return completion(std::move(rows).error());
    completion(ReadListAnswer(*rows, filter, prefix_));
  });
  return std::move(ticket);
}

Ticket PostgresStore::AskNote(postgres::Statement statement, OnNote on_answer) {
  auto [ticket, completion] = Ask<Result<NoteAnswer>>(std::move(on_answer));
  batches_.Run(std::move(statement),
               [completion = std::move(completion)](Result<postgres::Rows> rows) mutable {
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
