// The files of scripts/ as CMake builds them in (idem_embed_texts), without their comment lines.
#pragma once

#include <string_view>

namespace idem::store {

// Shared by scripts (RedisScriptText() puts them before a script's own file).
extern const std::string_view kClockLua;
extern const std::string_view kRecordLua;
extern const std::string_view kSettleLua;
extern const std::string_view kLimitLua;

extern const std::string_view kBeginLua;
extern const std::string_view kCompleteLua;
extern const std::string_view kReleaseLua;
extern const std::string_view kMarkUnknownLua;
extern const std::string_view kWithdrawLua;
extern const std::string_view kLookLua;
extern const std::string_view kClaimLookUpLua;
extern const std::string_view kReleaseUnknownLua;
extern const std::string_view kResolveUnknownLua;
extern const std::string_view kCountLua;
extern const std::string_view kListLua;
extern const std::string_view kReadNoteLua;
extern const std::string_view kWriteNoteLua;

}  // namespace idem::store
