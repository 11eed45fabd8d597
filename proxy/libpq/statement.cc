#include "proxy/libpq/statement.h"

#include <utility>

#include <libpq-fe.h>

#include "proxy/base/invariant.h"

namespace idem::libpq {

namespace {

template <class Integer>
void AppendBigEndian(Integer value, std::string& to) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8) {
    to.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> shift)));
  }
}

struct Oids {
  std::uint32_t element;
  std::uint32_t array;
};

// The numbers come from the server's pg_type.dat and never change.
Oids OidsOf(Array::Of element) {
  switch (element) {
    case Array::Of::kBytes:
      return {17, 1001};
    case Array::Of::kInt64:
      return {20, 1016};
    case Array::Of::kText:
      return {25, 1009};
  }
  INVARIANT(false);
}

}  // namespace

Array::Array(Of element) : element_(element) {}

void Array::Add(std::string_view element) {
  INVARIANT(element_ != Of::kInt64);
  AppendBigEndian(static_cast<std::uint32_t>(element.size()), elements_);
  elements_.append(element);
  ++count_;
}

void Array::AddInt64(std::int64_t element) {
  INVARIANT(element_ == Of::kInt64);
  AppendBigEndian(std::uint32_t{8}, elements_);
  AppendBigEndian(static_cast<std::uint64_t>(element), elements_);
  ++count_;
}

void Array::AddNull() {
  AppendBigEndian(~std::uint32_t{0}, elements_);
  has_null_ = true;
  ++count_;
}

// Writes the form that the server's array_recv() reads: the number of dimensions, a flag for NULLs,
// and the element's type; then size and lower bound of each dimension; then each element after its
// length.
Parameter Array::Take() && {
  const Oids oids = OidsOf(element_);
  std::string bytes;
  bytes.reserve(20 + elements_.size());
  AppendBigEndian(std::uint32_t{count_ > 0 ? 1U : 0U}, bytes);
  AppendBigEndian(std::uint32_t{has_null_ ? 1U : 0U}, bytes);
  AppendBigEndian(oids.element, bytes);
  if (count_ > 0) {
    AppendBigEndian(count_, bytes);
    AppendBigEndian(std::uint32_t{1}, bytes);
    bytes += elements_;
  }
  return {std::move(bytes), false, true, oids.array};
}

Rows::Rows(pg_result* result) : result_(result) { INVARIANT(result != nullptr); }

void Rows::Free::operator()(pg_result* result) const { PQclear(result); }

std::size_t Rows::size() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::optional<std::string_view> Rows::Value(std::size_t row, std::size_t column) const {
  INVARIANT(row < size() && column < static_cast<std::size_t>(PQnfields(result_.get())));
  const int i = static_cast<int>(row);
  const int j = static_cast<int>(column);
  if (PQgetisnull(result_.get(), i, j) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(result_.get(), i, j),
                          static_cast<std::size_t>(PQgetlength(result_.get(), i, j)));
}

std::string_view Rows::Text(std::size_t row, std::size_t column) const {
  const auto value = Value(row, column);
  INVARIANT(value.has_value());
  return *value;
}

}  // namespace idem::libpq
