-- Records that the outcome of a claim is unknown. A claim that Redis lost is written again
-- ('rewritten').
-- Copies idempotency::LeaseEnd (proxy/idempotency/lease.h): a lost claim begins now.
local token, lease, keep, rest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
return settle(function(held)
  if not held then
    write('unknown', token, now + lease, now, keep, rest)
    return 'rewritten'
  end
  if held.token ~= token or held.state == 'completed' then return nil end
  if held.state == 'unknown' then
    again(held)
  else
    write('unknown', token, held.lease_end, held.begun, keep, rest)
  end
  return 'done'
end)
