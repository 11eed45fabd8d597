-- Runs one transition. `act` gets the record, or nil, and returns the word of the answer once it
-- has acted. It returns nil to leave the record as it is: the answer is then the record.
local function settle(act)
  local held, corrupt = read()
  if corrupt then return corrupt end
  local word = act(held)
  if word then return {word, now} end
  return {'held', now, held.bytes}
end
