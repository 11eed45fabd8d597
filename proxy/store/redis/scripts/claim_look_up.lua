-- Reserves the look-up of an unknown record at the backend, so that one proxy at a time asks there.
local held, corrupt = read()
if corrupt then return corrupt end
if not held or held.token ~= ARGV[1] or not is_unknown(held) then
  return {'changed', now, held and held.bytes}
end
local taken_until = tonumber(redis.call('GET', KEYS[2]) or 0)
if taken_until > now then return {'taken', now, taken_until - now} end
redis.call('SET', KEYS[2], string.format('%d', now + ARGV[2]), 'PX', ARGV[2])
return {'granted', now}
