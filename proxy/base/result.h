// A value or an error from the outside world. The member names are those of std::expected, which
// can replace Result one day.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "proxy/base/invariant.h"

namespace idem {

/// States if the backend may have seen a byte of the request. It decides between releasing a claim
/// and keeping it.
enum class Delivery { kNotSent, kMaybeSent };

enum class ErrorCode {
  kInvalid,      // malformed input, or a file with errors
  kUnavailable,  // the other side is unreachable or closed the connection
  kTimeout,      // no answer in time
  kRefused,      // the other side refused: wrong password, read-only, full disk
  kCorrupt,      // stored bytes that this program cannot have written
};

struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  /// Text for the log and the operator: what happened, where, and what to do. It never holds a
  /// secret.
  std::string detail;
  Delivery delivery = Delivery::kNotSent;
};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  // Implicit, so that a function can return its value or an Error.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return INVARIANT(has_value()), std::get<0>(state_); }
  const T& value() const& { return INVARIANT(has_value()), std::get<0>(state_); }
  T&& value() && { return INVARIANT(has_value()), std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] Error& error() & { return INVARIANT(!has_value()), std::get<1>(state_); }
  [[nodiscard]] const Error& error() const& { return INVARIANT(!has_value()), std::get<1>(state_); }
  [[nodiscard]] Error&& error() && {
    return INVARIANT(!has_value()), std::get<1>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

/// The result of an operation that returns no value.
using Status = Result<std::monostate>;
inline Status Ok() { return std::monostate{}; }

}  // namespace idem
