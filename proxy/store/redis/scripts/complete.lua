-- Records the response of a claim. A claim that Redis lost is written again ('rewritten').
-- Copies idempotency::LeaseEnd (proxy/idempotency/lease.h): a lost claim begins now.
local token, lease, keep, rest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
return settle(function(held)
  if not held then
    write('completed', token, now + lease, now, keep, rest)
    return 'rewritten'
  end
  if held.token ~= token then return nil end
  if held.state ~= 'completed' then
    write('completed', token, held.lease_end, held.begun, keep, rest)
  elseif string.sub(held.bytes, held.rest_at) == rest then
    again(held)
  else
    return nil
  end
  return 'done'
end)
