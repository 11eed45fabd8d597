-- Reads and writes the record at KEYS[1].

-- Returns the record, nil if there is none, or nil and an error if the value is not a record.
-- The stamp decides on expiry, because Redis may keep a value a little longer.
local function read()
  local bytes = redis.call('GET', KEYS[1])
  if not bytes then return nil end
  local state, token, lease_end, begun, expires, rest_at =
      string.match(bytes, '^idemproxy/1 (%l+) (%x+) (%d+) (%d+) (%d+) ()')
  if not state then
    return nil, redis.error_reply('CORRUPT the value of a record key is not a record')
  end
  if tonumber(expires) <= now then return nil end
  return {state = state, token = token, lease_end = tonumber(lease_end),
          begun = tonumber(begun), expires = expires, rest_at = rest_at, bytes = bytes}
end

-- Writes the byte form that idempotency::EncodeRest describes.
local function write(state, token, lease_end, begun, keep, rest)
  local head = string.format('idemproxy/1 %s %s %d %d %d ',
                             state, token, lease_end, begun, now + keep)
  redis.call('SET', KEYS[1], head .. rest, 'PX', keep)
end

-- Writes the record as it is. A repeated step must write too, because WAIT counts from the last
-- write of its own connection, and another connection may have written the first step.
local function again(held)
  redis.call('PEXPIREAT', KEYS[1], held.expires)
end

-- Copies idempotency::IsAlive (proxy/idempotency/lease.h): an executing record is unknown from the
-- end of its lease on.
local function is_unknown(held)
  return held.state == 'unknown' or (held.state == 'executing' and held.lease_end <= now)
end
