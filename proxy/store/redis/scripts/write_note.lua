-- Writes a note if its value is the expected one, or the new one already.
local there = redis.call('GET', KEYS[1])
local replaces = ARGV[1] == '1' and ARGV[2]
if there ~= replaces and there ~= ARGV[3] then return {0, there} end
redis.call('SET', KEYS[1], ARGV[3])
return {1, ARGV[3]}
