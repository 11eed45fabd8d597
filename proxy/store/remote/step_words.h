// The words by which Lua scripts and SQL functions report the outcome of a step. Both languages use
// the same ones.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/ports/record_store.h"

namespace idem::store {

// Each returns null for any other word.
[[nodiscard]] std::optional<ports::BeginResult::Kind> BeginKindOf(std::string_view word);
[[nodiscard]] std::optional<ports::TransitionResult::Kind> TransitionKindOf(std::string_view word);
[[nodiscard]] std::optional<ports::LookUpReservation::Kind> LookUpKindOf(std::string_view word);

}  // namespace idem::store
