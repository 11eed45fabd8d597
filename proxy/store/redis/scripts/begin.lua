-- Claims a key. KEYS: record, withdrawal mark, and with a limit also limit and counted mark.
-- A request that the limit refuses leaves no claim; a withdrawn one is not counted either.
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
-- Copies idempotency::LeaseEnd (proxy/idempotency/lease.h).
write('executing', token, now + lease, now, keep, rest)
return {'claimed', now, verdict}
