-- Times, the byte form of a record, and the writes that the transitions share.

-- Returns the database's clock, cut to milliseconds.
CREATE OR REPLACE FUNCTION idemproxy_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $f$
  SELECT date_trunc('milliseconds', clock_timestamp()) $f$;

CREATE OR REPLACE FUNCTION idemproxy_ms(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $f$
  SELECT ((extract(epoch FROM at) * 1000)::bigint)::text $f$;

CREATE OR REPLACE FUNCTION idemproxy_span(ms bigint) RETURNS interval LANGUAGE sql IMMUTABLE AS $f$
  SELECT ms * interval '1 millisecond' $f$;

-- Returns the byte form that idempotency::Decode reads.
CREATE OR REPLACE FUNCTION idemproxy_bytes(r idemproxy_records)
  RETURNS bytea LANGUAGE sql STABLE AS $f$
  SELECT convert_to(concat_ws(' ', 'idemproxy/1', r.state, r.token, idemproxy_ms(r.lease_ends_at),
                              idemproxy_ms(r.begun_at), idemproxy_ms(r.expires_at), ''), 'UTF8')
         || r.rest $f$;

-- Copies idempotency::IsAlive (proxy/idempotency/lease.h): an executing record is unknown from the
-- end of its lease on.
CREATE OR REPLACE FUNCTION idemproxy_is_unknown(was idemproxy_records, clock timestamptz)
  RETURNS boolean LANGUAGE sql IMMUTABLE AS $f$
  SELECT was.state = 'unknown' OR was.state = 'executing' AND was.lease_ends_at <= clock $f$;

CREATE OR REPLACE FUNCTION idemproxy_is_withdrawn(the_token text)
  RETURNS boolean LANGUAGE sql VOLATILE AS $f$
  SELECT EXISTS (SELECT FROM idemproxy_withdrawals
                 WHERE token = the_token AND expires_at > idemproxy_now()) $f$;

-- Writes a row if the row under the id is still `was`, and returns whether it did. INSERT and
-- UPDATE wait for a transaction that has written the row and not yet committed.
CREATE OR REPLACE FUNCTION idemproxy_put(
    was idemproxy_records, the_id bytea, the_key text, the_state text, the_token text,
    begun timestamptz, lease_ends timestamptz, expires timestamptz, the_rest bytea)
  RETURNS boolean LANGUAGE plpgsql AS $f$
BEGIN
  IF was.id IS NULL THEN
    INSERT INTO idemproxy_records (id, key, state, token, begun_at, lease_ends_at, expires_at, rest)
    VALUES (the_id, the_key, the_state, the_token, begun, lease_ends, expires, the_rest)
    ON CONFLICT (id) DO NOTHING;
  ELSE
    UPDATE idemproxy_records r
    SET state = the_state, token = the_token, begun_at = begun, lease_ends_at = lease_ends,
        expires_at = expires, rest = the_rest,
        looked_up_until = CASE WHEN r.token = the_token THEN r.looked_up_until END
    WHERE r.id = was.id AND r.token = was.token AND r.state = was.state
      AND r.expires_at = was.expires_at;
  END IF;
  RETURN FOUND;
END $f$;

-- Writes the row as it is, for a step that was taken before and is asked again. With a synchronous
-- standby the first commit may be visible before the standby has it (the server was restarted while
-- it waited). So the second answer waits for a commit of its own.
CREATE OR REPLACE FUNCTION idemproxy_put_again(was idemproxy_records)
  RETURNS boolean LANGUAGE sql AS $f$
  SELECT idemproxy_put(was, was.id, was.key, was.state, was.token, was.begun_at, was.lease_ends_at,
                       was.expires_at, was.rest) $f$;

CREATE OR REPLACE FUNCTION idemproxy_remove(was idemproxy_records)
  RETURNS boolean LANGUAGE plpgsql AS $f$
BEGIN
  DELETE FROM idemproxy_records r
  WHERE r.id = was.id AND r.token = was.token AND r.state = was.state
    AND r.expires_at = was.expires_at;
  RETURN FOUND;
END $f$;
