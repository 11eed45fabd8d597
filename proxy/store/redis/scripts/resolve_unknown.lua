-- Records the response that an operator or a look-up found for an unknown record.
local token, keep, rest = ARGV[1], tonumber(ARGV[2]), ARGV[3]
return settle(function(held)
  if not held then return 'gone' end
  if held.token ~= token then return nil end
  if is_unknown(held) then
    write('completed', token, held.lease_end, held.begun, keep, rest)
  elseif held.state == 'completed' and string.sub(held.bytes, held.rest_at) == rest then
    again(held)
  else
    return nil
  end
  return 'done'
end)
