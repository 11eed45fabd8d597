-- Returns the value of a note.
return {0, redis.call('GET', KEYS[1])}
