-- Deletes some of the rows that have expired. Rows that another transaction has locked are left for
-- the next time, so that this waits for nobody. The requests of a subject end before the subject.
WITH records AS (
  DELETE FROM idemproxy_records WHERE ctid IN (
    SELECT ctid FROM idemproxy_records WHERE expires_at <= now()
    ORDER BY expires_at LIMIT %ROWS% FOR UPDATE SKIP LOCKED)
  RETURNING state),
withdrawals AS (
  DELETE FROM idemproxy_withdrawals WHERE ctid IN (
    SELECT ctid FROM idemproxy_withdrawals WHERE expires_at <= now()
    ORDER BY expires_at LIMIT %ROWS% FOR UPDATE SKIP LOCKED)),
limits AS (
  DELETE FROM idemproxy_limits WHERE ctid IN (
    SELECT ctid FROM idemproxy_limits WHERE expires_at <= now()
    ORDER BY expires_at LIMIT %ROWS% FOR UPDATE SKIP LOCKED)
  RETURNING subject),
accepted AS (
  DELETE FROM idemproxy_accepted a USING limits WHERE a.subject = limits.subject)
SELECT count(*)::text, (count(*) FILTER (WHERE state <> 'completed'))::text FROM records
