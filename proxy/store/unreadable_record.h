// What an operator's list does about a record that cannot be read: it says so and goes on behind
// it.
#pragma once

#include <string_view>

#include "proxy/base/result.h"

namespace idem::store {

void TellUnreadable(std::string_view record_key, const Error& error);

}  // namespace idem::store
