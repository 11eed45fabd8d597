#include "proxy/store/redis/scripts.h"

#include <array>
#include <string_view>

#include "proxy/base/invariant.h"
#include "proxy/store/redis/lua_texts.h"

namespace idem::store {
namespace {

template <class... Parts>
std::string Join(Parts... parts) {
  std::string text;
  (text.append(parts), ...);
  return text;
}

std::string Settling(std::string_view script) {
  return Join(kClockLua, kRecordLua, kSettleLua, script);
}

}  // namespace

const std::string& RedisScriptText(RedisScript script) {
  static const std::array<std::string, kRedisScriptCount> texts = {
      Join(kClockLua, kRecordLua, kLimitLua, kBeginLua),
      Settling(kCompleteLua),
      Settling(kReleaseLua),
      Settling(kMarkUnknownLua),
      Settling(kWithdrawLua),
      Settling(kLookLua),
      Join(kClockLua, kRecordLua, kClaimLookUpLua),
      Settling(kReleaseUnknownLua),
      Settling(kResolveUnknownLua),
      Join(kClockLua, kLimitLua, kCountLua),
      Join(kClockLua, kListLua),
      Join(kReadNoteLua),
      Join(kWriteNoteLua)};
  const auto index = static_cast<std::size_t>(script);
  INVARIANT(index < texts.size());
  return texts[index];
}

}  // namespace idem::store
