-- One function for each transition of a record. `was` is the row under the key as it was read, and
-- `present` is false if there is none or it has expired: it then reads as absent. Each function
-- decides by the row that was read and writes only if that is still the same. It returns the word of
-- the answer, or null if another transaction has changed the row: idemproxy_step() then reads
-- again. A row that is only read is not locked, so a replay writes nothing.

-- A begin and a withdrawal meet at the row of the key, whether the row exists or not: the later of
-- them sees the result of the other.
-- Copies idempotency::LeaseEnd (proxy/idempotency/lease.h).
CREATE OR REPLACE FUNCTION idemproxy_begin(
    was idemproxy_records, present boolean, the_id bytea, the_key text, the_token text,
    replaces text, clock timestamptz, lease interval, keep interval, the_rest bytea)
  RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  IF present AND was.token = the_token AND was.state = 'executing' THEN
    RETURN CASE WHEN idemproxy_put_again(was) THEN 'claimed' END;
  ELSIF present AND NOT (was.token = replaces AND idemproxy_is_unknown(was, clock)) THEN
    RETURN 'held';
  END IF;
  IF was.id IS NOT NULL THEN
    PERFORM FROM idemproxy_records r WHERE r.id = the_id FOR UPDATE;
    IF idemproxy_is_withdrawn(the_token) THEN RETURN 'withdrawn'; END IF;
  END IF;
  IF NOT idemproxy_put(was, the_id, the_key, 'executing', the_token, clock, clock + lease,
                       clock + keep, the_rest) THEN
    RETURN NULL;
  END IF;
  IF was.id IS NULL AND idemproxy_is_withdrawn(the_token) THEN
    DELETE FROM idemproxy_records r WHERE r.id = the_id;
    RETURN 'withdrawn';
  END IF;
  RETURN 'claimed';
END $f$;

-- Writes the new state of a claim. A claim that the database lost is written again ('rewritten').
-- Copies idempotency::LeaseEnd (proxy/idempotency/lease.h): a lost claim begins now.
CREATE OR REPLACE FUNCTION idemproxy_settle(
    was idemproxy_records, present boolean, the_id bytea, the_key text, the_state text,
    the_token text, clock timestamptz, lease interval, keep interval, the_rest bytea)
  RETURNS text LANGUAGE sql AS $f$
  SELECT CASE
    WHEN NOT idemproxy_put(was, the_id, the_key, the_state, the_token,
                           CASE WHEN present THEN was.begun_at ELSE clock END,
                           CASE WHEN present THEN was.lease_ends_at ELSE clock + lease END,
                           clock + keep, the_rest) THEN NULL
    WHEN present THEN 'done'
    ELSE 'rewritten'
  END $f$;

CREATE OR REPLACE FUNCTION idemproxy_complete(
    was idemproxy_records, present boolean, the_id bytea, the_key text, the_token text,
    clock timestamptz, lease interval, keep interval, the_rest bytea)
  RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  IF present AND (was.token <> the_token OR was.state = 'completed' AND was.rest <> the_rest) THEN
    RETURN 'held';
  ELSIF present AND was.state = 'completed' THEN
    RETURN CASE WHEN idemproxy_put_again(was) THEN 'done' END;
  END IF;
  RETURN idemproxy_settle(was, present, the_id, the_key, 'completed', the_token, clock, lease, keep,
                          the_rest);
END $f$;

CREATE OR REPLACE FUNCTION idemproxy_mark_unknown(
    was idemproxy_records, present boolean, the_id bytea, the_key text, the_token text,
    clock timestamptz, lease interval, keep interval, the_rest bytea)
  RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  IF present AND (was.token <> the_token OR was.state = 'completed') THEN
    RETURN 'held';
  ELSIF present AND was.state = 'unknown' THEN
    RETURN CASE WHEN idemproxy_put_again(was) THEN 'done' END;
  END IF;
  RETURN idemproxy_settle(was, present, the_id, the_key, 'unknown', the_token, clock, lease, keep,
                          the_rest);
END $f$;

CREATE OR REPLACE FUNCTION idemproxy_release(
    was idemproxy_records, present boolean, the_token text)
  RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  IF NOT present THEN
    RETURN 'done';
  ELSIF was.token <> the_token OR was.state = 'completed' THEN
    RETURN 'held';
  END IF;
  RETURN CASE WHEN idemproxy_remove(was) THEN 'done' END;
END $f$;

-- A begin on another connection that is not yet committed has written the row that this inserts, so
-- this waits for it. The inserted row has expired already and is removed again.
CREATE OR REPLACE FUNCTION idemproxy_withdraw(
    was idemproxy_records, the_id bytea, the_key text, the_token text, clock timestamptz,
    keep interval)
  RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  IF was.id IS NULL THEN
    PERFORM idemproxy_put(NULL, the_id, the_key, 'executing', the_token, clock, clock, clock, '');
  END IF;
  SELECT * INTO was FROM idemproxy_records r WHERE r.id = the_id FOR UPDATE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  INSERT INTO idemproxy_withdrawals AS w VALUES (the_token, clock + keep)
  ON CONFLICT (token) DO UPDATE SET expires_at = greatest(w.expires_at, excluded.expires_at);
  IF was.token = the_token AND was.state <> 'completed' THEN
    PERFORM idemproxy_remove(was);
  END IF;
  RETURN 'done';
END $f$;

-- Reserves the look-up of an unknown record at the backend, so that one proxy at a time asks there.
CREATE OR REPLACE FUNCTION idemproxy_look_up(
    was idemproxy_records, present boolean, the_token text, clock timestamptz, pause interval)
  RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  IF NOT (present AND was.token = the_token AND idemproxy_is_unknown(was, clock)) THEN
    RETURN 'changed';
  ELSIF was.looked_up_until > clock THEN
    RETURN 'taken';
  END IF;
  UPDATE idemproxy_records r SET looked_up_until = clock + pause
  WHERE r.id = was.id AND r.token = was.token AND r.state = was.state
    AND r.expires_at = was.expires_at
    AND r.looked_up_until IS NOT DISTINCT FROM was.looked_up_until;
  RETURN CASE WHEN FOUND THEN 'granted' END;
END $f$;

-- Deletes an unknown record for an operator. A claim that is still executing stays.
CREATE OR REPLACE FUNCTION idemproxy_release_unknown(
    was idemproxy_records, present boolean, the_token text, clock timestamptz)
  RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  IF NOT present THEN
    RETURN 'done';
  ELSIF was.token <> the_token OR NOT idemproxy_is_unknown(was, clock) THEN
    RETURN 'held';
  END IF;
  RETURN CASE WHEN idemproxy_remove(was) THEN 'done' END;
END $f$;

-- Records the response that an operator or a look-up found for an unknown record.
CREATE OR REPLACE FUNCTION idemproxy_resolve_unknown(
    was idemproxy_records, present boolean, the_token text, clock timestamptz,
    keep interval, the_rest bytea)
  RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  IF NOT present THEN
    RETURN 'gone';
  ELSIF was.token = the_token AND idemproxy_is_unknown(was, clock) THEN
    RETURN idemproxy_settle(was, present, was.id, was.key, 'completed', the_token, clock, NULL,
                            keep, the_rest);
  ELSIF was.token = the_token AND was.state = 'completed' AND was.rest = the_rest THEN
    RETURN CASE WHEN idemproxy_put_again(was) THEN 'done' END;
  END IF;
  RETURN 'held';
END $f$;
