#include "proxy/store/redis/scripts.h"

#include <array>

#include "proxy/base/invariant.h"

// Each script but `list` names all its keys in KEYS, takes its time from Redis, and writes nothing
// where it answers `held`, `limited` or `withdrawn` (but for what the limit counted). Times are
// milliseconds since 1970, lengths of time milliseconds.
//
//   script     KEYS                           ARGV
//   begin      record, mark, [limit, counted] TOKEN, REPLACES, LEASE, KEEP, REST, [LIMIT]
//   complete   record                         TOKEN, LEASE, KEEP, REST
//   unknown    record                         TOKEN, LEASE, KEEP, REST
//   release    record                         TOKEN
//   withdraw   record, mark                   TOKEN, KEEP
//   look       record                         -
//   look up    record, mark                   TOKEN, KEEP
//   release    record                         TOKEN            (of an unknown one, by an operator)
//   resolve    record                         TOKEN, KEEP, REST
//   count      limit, counted                 LIMIT
//   list       -                              CURSOR, PATTERN, COUNT
//   read note  note                           -
//   write note note                           1 or 0: it replaces a value, THAT VALUE, VALUE
//
//   begin    -> {"claimed",   NOW, VERDICT or nil}
//               {"held",      NOW, VERDICT or nil, RECORD}
//               {"limited",   NOW, VERDICT}
//               {"withdrawn", NOW}
//   complete, unknown, release, withdraw, look, resolve
//            -> {"done", NOW}  {"rewritten", NOW}  {"held", NOW, RECORD}  {"gone", NOW}
//   look up  -> {"granted", NOW}  {"taken", NOW, RETRY_AFTER}  {"changed", NOW, RECORD or nil}
//   count    -> VERDICT
//   list     -> {CURSOR, NOW, {KEY, RECORD or nil where it is completed} ...}
//   note     -> {1 or 0: it was written, VALUE or nil}
//
//   LIMIT     = TOKEN, ALGORITHM, REQUESTS, PER, BURST
//   VERDICT   = {1 allowed or 0 refused, REMAINING, RESET}
//
// REST is the record's byte form behind the times, which only Redis knows (EncodeRest):
//
//   idemproxy/1 executing TOKEN LEASE_END BEGUN EXPIRES | REST...
//
// KEEP is how long what is written lives; REPLACES is the token that is taken over, or empty.
// What cannot be a record is answered with an error and never overwritten.
namespace idem::store {
namespace {

constexpr std::string_view kClock = R"lua(
local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(now_us / 1000)
)lua";

// `read` judges expiry by the stamp, because Redis may keep a value a little longer. `write` and
// `again` act on what KEYS[1] names. A question asked twice writes too, though nothing new: WAIT
// looks at the last write of its own connection, and the first may have been made on another.
constexpr std::string_view kRecord = R"lua(
local function read()
  local bytes = redis.call('GET', KEYS[1])
  if not bytes then return nil end
  local state, token, lease_end, begun, expires, rest_at =
      string.match(bytes, '^idemproxy/1 (%l+) (%x+) (%d+) (%d+) (%d+) ()')
  if not state then
    return nil, redis.error_reply('CORRUPT the value of a record key is not a record')
  end
  if tonumber(expires) <= now then return nil end
  return {state = state, token = token, lease_end = tonumber(lease_end),
          begun = tonumber(begun), expires = expires, rest_at = rest_at, bytes = bytes}
end

local function write(state, token, lease_end, begun, keep, rest)
  local head = string.format('idemproxy/1 %s %s %d %d %d ',
                             state, token, lease_end, begun, now + keep)
  redis.call('SET', KEYS[1], head .. rest, 'PX', keep)
end

local function is_unknown(held)
  return held.state == 'unknown' or (held.state == 'executing' and held.lease_end <= now)
end

local function again(held)
  redis.call('PEXPIREAT', KEYS[1], held.expires)
end
)lua";

// A window keeps the accepted requests of the last PER as a sorted set of tokens, by microsecond; a
// bucket keeps the moment at which it will be full again (each request moves it by one interval).
constexpr std::string_view kLimit = R"lua(
local function window(key, token, requests, per)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now_us - per * 1000)
  local count = redis.call('ZCARD', key)
  local allowed = redis.call('ZSCORE', key, token)
  if not allowed and count < requests then
    redis.call('ZADD', key, now_us, token)
    redis.call('PEXPIRE', key, per + 1)
    count = count + 1
    allowed = true
  end
  if count == 0 then return {0, 0, 0} end
  local next_to_end = math.max(0, count - requests)
  local at = redis.call('ZRANGE', key, next_to_end, next_to_end, 'WITHSCORES')[2]
  local reset = math.max(0, math.ceil((tonumber(at) - now_us) / 1000 + per))
  return {allowed and 1 or 0, math.max(0, requests - count), reset}
end

local function bucket(key, counted, token, requests, per, burst)
  local interval = per * 1000 / requests
  local places = burst > 0 and burst or requests
  local ahead = math.max(0, tonumber(redis.call('GET', key) or 0) - now_us)
  local used = math.ceil(ahead / interval - 0.000001)
  local allowed = redis.call('EXISTS', counted) == 1
  if not allowed and used < places then
    ahead = ahead + interval
    used = used + 1
    redis.call('SET', key, string.format('%.17g', now_us + ahead),
               'PX', math.ceil(ahead / 1000) + 1)
    redis.call('SET', counted, 1, 'PX', per)
    allowed = true
  end
  local reset = used > 0 and math.ceil((ahead - (used - 1) * interval) / 1000) or 0
  return {allowed and 1 or 0, math.max(0, places - used), reset}
end

local function limit(key, counted, token, algorithm, requests, per, burst)
  requests, per, burst = tonumber(requests), tonumber(per), tonumber(burst)
  if algorithm == 'bucket' then
    return bucket(key, counted, token, requests, per, burst)
  end
  return window(key, token, requests, per)
end
)lua";

constexpr std::string_view kBegin = R"lua(
local token, replaces, lease, keep, rest =
    ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
if redis.call('EXISTS', KEYS[2]) == 1 then return {'withdrawn', now} end
local verdict = false
if KEYS[3] then
  verdict = limit(KEYS[3], KEYS[4], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10])
  if verdict[1] == 0 then return {'limited', now, verdict} end
end
local held, corrupt = read()
if corrupt then return corrupt end
if held then
  if held.state == 'executing' and held.token == token then
    again(held)
    return {'claimed', now, verdict}
  end
  if not is_unknown(held) or held.token ~= replaces then
    return {'held', now, verdict, held.bytes}
  end
end
write('executing', token, now + lease, now, keep, rest)
return {'claimed', now, verdict}
)lua";

constexpr std::string_view kComplete = R"lua(
local token, lease, keep, rest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local held, corrupt = read()
if corrupt then return corrupt end
if not held then
  write('completed', token, now + lease, now, keep, rest)
  return {'rewritten', now}
end
if held.token ~= token then return {'held', now, held.bytes} end
if held.state ~= 'completed' then
  write('completed', token, held.lease_end, held.begun, keep, rest)
elseif string.sub(held.bytes, held.rest_at) == rest then
  again(held)
else
  return {'held', now, held.bytes}
end
return {'done', now}
)lua";

constexpr std::string_view kMarkUnknown = R"lua(
local token, lease, keep, rest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local held, corrupt = read()
if corrupt then return corrupt end
if not held then
  write('unknown', token, now + lease, now, keep, rest)
  return {'rewritten', now}
end
if held.token ~= token or held.state == 'completed' then
  return {'held', now, held.bytes}
end
if held.state == 'unknown' then
  again(held)
else
  write('unknown', token, held.lease_end, held.begun, keep, rest)
end
return {'done', now}
)lua";

constexpr std::string_view kRelease = R"lua(
local held, corrupt = read()
if corrupt then return corrupt end
if held then
  if held.token ~= ARGV[1] or held.state == 'completed' then
    return {'held', now, held.bytes}
  end
  redis.call('DEL', KEYS[1])
end
return {'done', now}
)lua";

constexpr std::string_view kWithdraw = R"lua(
redis.call('SET', KEYS[2], 1, 'PX', ARGV[2])
local held, corrupt = read()
if corrupt then return corrupt end
if held and held.token == ARGV[1] and held.state ~= 'completed' then
  redis.call('DEL', KEYS[1])
end
return {'done', now}
)lua";

constexpr std::string_view kLook = R"lua(
local held, corrupt = read()
if corrupt then return corrupt end
if held then return {'held', now, held.bytes} end
return {'done', now}
)lua";

constexpr std::string_view kClaimLookUp = R"lua(
local held, corrupt = read()
if corrupt then return corrupt end
if not held or held.token ~= ARGV[1] or not is_unknown(held) then
  return {'changed', now, held and held.bytes}
end
local taken_until = tonumber(redis.call('GET', KEYS[2]) or 0)
if taken_until > now then return {'taken', now, taken_until - now} end
redis.call('SET', KEYS[2], string.format('%d', now + ARGV[2]), 'PX', ARGV[2])
return {'granted', now}
)lua";

constexpr std::string_view kReleaseUnknown = R"lua(
local held, corrupt = read()
if corrupt then return corrupt end
if held then
  if held.token ~= ARGV[1] or not is_unknown(held) then
    return {'held', now, held.bytes}
  end
  redis.call('DEL', KEYS[1])
end
return {'done', now}
)lua";

constexpr std::string_view kResolveUnknown = R"lua(
local token, keep, rest = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local held, corrupt = read()
if corrupt then return corrupt end
if not held then return {'gone', now} end
if held.token == token and is_unknown(held) then
  write('completed', token, held.lease_end, held.begun, keep, rest)
elseif held.token == token and held.state == 'completed' and
       string.sub(held.bytes, held.rest_at) == rest then
  again(held)
else
  return {'held', now, held.bytes}
end
return {'done', now}
)lua";

constexpr std::string_view kCount = R"lua(
return limit(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
)lua";

// A completed record may be large, and only its key is asked for. What is no record is passed over.
constexpr std::string_view kList = R"lua(
local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
local answer = {page[1], now}
for _, key in ipairs(page[2]) do
  local head = not string.find(key, ' ', 1, true) and redis.pcall('GETRANGE', key, 0, 31)
  local state = type(head) == 'string' and string.match(head, '^idemproxy/1 (%l+) ')
  if state then
    answer[#answer + 1] = {key, state ~= 'completed' and redis.call('GET', key)}
  end
end
return answer
)lua";

constexpr std::string_view kReadNote = R"lua(
return {0, redis.call('GET', KEYS[1])}
)lua";

constexpr std::string_view kWriteNote = R"lua(
local there = redis.call('GET', KEYS[1])
local replaces = ARGV[1] == '1' and ARGV[2]
if there ~= replaces and there ~= ARGV[3] then return {0, there} end
redis.call('SET', KEYS[1], ARGV[3])
return {1, ARGV[3]}
)lua";

template <class... Parts>
std::string Join(Parts... parts) {
  std::string text;
  (text.append(parts), ...);
  return text;
}

}  // namespace

const std::string& RedisScriptText(RedisScript script) {
  static const std::array<std::string, kRedisScriptCount> texts = {
      Join(kClock, kRecord, kLimit, kBegin),
      Join(kClock, kRecord, kComplete),
      Join(kClock, kRecord, kRelease),
      Join(kClock, kRecord, kMarkUnknown),
      Join(kClock, kRecord, kWithdraw),
      Join(kClock, kRecord, kLook),
      Join(kClock, kRecord, kClaimLookUp),
      Join(kClock, kRecord, kReleaseUnknown),
      Join(kClock, kRecord, kResolveUnknown),
      Join(kClock, kLimit, kCount),
      Join(kClock, kList),
      Join(kReadNote),
      Join(kWriteNote)};
  const auto index = static_cast<std::size_t>(script);
  INVARIANT(index < texts.size());
  return texts[index];
}

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
