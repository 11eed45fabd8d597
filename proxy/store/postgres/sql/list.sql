-- One step of a walk over the records. The row 'step' has the time and, where there may be more,
-- the last id that was looked at.
WITH step AS MATERIALIZED (
  SELECT * FROM idemproxy_records r
  WHERE r.id > $1 AND ($2::bytea IS NULL OR r.id < $2)
  ORDER BY r.id LIMIT %ROWS%)
SELECT 'step', idemproxy_ms(idemproxy_now()),
       (SELECT encode(s.id, 'hex') FROM step s WHERE (SELECT count(*) FROM step) = %ROWS%
        ORDER BY s.id DESC LIMIT 1)::bytea
UNION ALL
SELECT 'record', s.key, idemproxy_bytes(s) FROM step s
WHERE octet_length(s.id) = $3::bigint AND s.expires_at > clock_timestamp()
  AND (s.state <> 'completed' OR $4::bigint = 1)
