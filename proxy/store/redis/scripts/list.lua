-- Returns one page of a walk over the keys that match. A completed record is returned without its
-- value, because its response may be large. A value that is not a record is left out.
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
