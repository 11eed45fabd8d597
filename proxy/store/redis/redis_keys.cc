#include "proxy/store/redis/redis_keys.h"

namespace idem::store {
namespace {

template <class... Parts>
std::string Join(Parts... parts) {
  std::string text;
  (text.append(parts), ...);
  return text;
}

}  // namespace

std::string RedisKeys::Record(std::string_view record_key) const {
  return Join(prefix, record_key);
}

std::string RedisKeys::Withdrawn(std::string_view token) const {
  return Join(prefix, "withdrawn ", token);
}

std::string RedisKeys::LookUp(std::string_view token) const {
  return Join(prefix, "lookup ", token);
}

std::string RedisKeys::Limit(std::string_view subject) const {
  return Join(prefix, "limit ", subject);
}

std::string RedisKeys::Counted(std::string_view token) const {
  return Join(prefix, "counted ", token);
}

std::string RedisKeys::Note(std::string_view name) { return Join("idemproxy note ", name); }

std::string RedisKeys::Pattern() const {
  constexpr std::string_view kSpecial = "*?[]\\^";
  std::string pattern;
  for (const char c : prefix) {
    if (kSpecial.find(c) != kSpecial.npos) pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern + '*';
}

}  // namespace idem::store
