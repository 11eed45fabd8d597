-- Takes a begin back whether it has arrived or not: the mark stops one that arrives later.
redis.call('SET', KEYS[2], 1, 'PX', ARGV[2])
return settle(function(held)
  if held and held.token == ARGV[1] and held.state ~= 'completed' then
    redis.call('DEL', KEYS[1])
  end
  return 'done'
end)
