#include "proxy/store/postgres/expiry_sweeper.h"

#include <charconv>
#include <chrono>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/store/postgres/statements.h"

namespace idem::store {
namespace {

constexpr std::chrono::seconds kPause(30);
// The pause after a deletion that left rows over.
constexpr std::chrono::milliseconds kShortPause(500);

std::uint64_t NumberOf(const libpq::Rows& rows, std::size_t column) {
  const std::string_view digits = rows.Text(0, column);
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

PostgresExpirySweeper::PostgresExpirySweeper(Loop& loop, PostgresBatchQueue& queue)
    : loop_(loop), queue_(queue) {
  Sweep();
}

void PostgresExpirySweeper::Sweep() {
  auto [ticket, completion] =
      Ask<Result<libpq::Rows>>([this](const Result<libpq::Rows>& rows) { OnSwept(rows); });
  running_ = std::move(ticket);
  queue_.Run({.sql = PostgresSweepSql(), .parameters = {}},
             [answer = std::move(completion)](Result<libpq::Rows> rows) mutable {
               answer(std::move(rows));
             });
}

void PostgresExpirySweeper::OnSwept(const Result<libpq::Rows>& rows) {
  Duration pause = kPause;
  if (rows && rows->size() == 1) {
    if (const std::uint64_t unknown = NumberOf(*rows, 1); unknown > 0) {
      log::Write(log::Level::kWarn, "unknown_expired",
                 {{"records", unknown},
                  {"detail", "what became of them was never found out, and is forgotten now"}});
    }
    if (NumberOf(*rows, 0) == kPostgresSweepRows) pause = kShortPause;
  }
  pause_ = loop_.After(pause, [this] { Sweep(); });
}

}  // namespace idem::store
