-- Deletes a claim by its own token. A completed record stays.
return settle(function(held)
  if not held then return 'done' end
  if held.token ~= ARGV[1] or held.state == 'completed' then return nil end
  redis.call('DEL', KEYS[1])
  return 'done'
end)
