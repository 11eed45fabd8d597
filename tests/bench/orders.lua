-- For wrk: the same small order again and again, under keys that are new (IDEM_KEYS=0) or that come round
-- after IDEM_KEYS of them. The last line of its output is for a program:
--   result REQUESTS MICROSECONDS ERRORS P50 P99      (latencies in microseconds)
local run, keys = os.getenv("IDEM_RUN"), tonumber(os.getenv("IDEM_KEYS"))
local body = os.getenv("IDEM_BODY")
local head = "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Signature: "
  .. os.getenv("IDEM_SIGNATURE") .. "\r\nContent-Length: " .. #body .. "\r\nIdempotency-Key: " .. run
local count = 0

function request()
  local key = keys > 0 and count % keys or count
  count = count + 1
  return head .. key .. "\r\n\r\n" .. body
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("result %d %d %d %d %d\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
