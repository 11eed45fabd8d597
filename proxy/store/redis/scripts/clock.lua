-- Reads the clock of Redis once for the script: `now` in milliseconds since 1970, `now_us` in
-- microseconds.
local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(now_us / 1000)
