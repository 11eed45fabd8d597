-- Deletes an unknown record for an operator. A claim that is still executing stays.
return settle(function(held)
  if not held then return 'done' end
  if held.token ~= ARGV[1] or not is_unknown(held) then return nil end
  redis.call('DEL', KEYS[1])
  return 'done'
end)
