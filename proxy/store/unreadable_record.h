// How the stores report a record that a list cannot read: they log it and continue behind it.
#pragma once

#include <string_view>

#include "proxy/base/result.h"

namespace idem::store {

void TellUnreadable(std::string_view record_key, const Error& error);

}  // namespace idem::store
