-- Counts one request of a subject and returns {1 allowed or 0 refused, REMAINING, RESET}.
-- A token that was counted before is allowed again and counted once.

-- A window keeps the accepted requests of the last `per` milliseconds as a sorted set of tokens, by
-- microsecond.
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

-- A bucket keeps the moment, in microseconds, at which it is full again. Each accepted request
-- moves it by one interval.
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
