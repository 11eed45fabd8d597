-- A database of version 1: its tables and functions as that version made them, then a note and one
-- record in each state as it wrote them (postgres_schema_test.cc).
CREATE TABLE idemproxy_schema (version integer NOT NULL);

CREATE TABLE idemproxy_records (
  id bytea PRIMARY KEY,            -- the prefix, then SHA-256 of the record's key: a scope may be
                                   -- longer than an index allows
  key text NOT NULL,               -- prefix and key, to be read
  state text NOT NULL CHECK (state IN ('executing', 'completed', 'unknown')),
  token text NOT NULL,
  begun_at timestamptz NOT NULL,
  lease_ends_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL, -- from then on it reads as absent
  looked_up_until timestamptz,     -- until then nobody else may look it up at the backend
  rest bytea NOT NULL);
CREATE INDEX idemproxy_records_by_end ON idemproxy_records (expires_at);

CREATE TABLE idemproxy_withdrawals (token text PRIMARY KEY, expires_at timestamptz NOT NULL);
CREATE INDEX idemproxy_withdrawals_by_end ON idemproxy_withdrawals (expires_at);

CREATE TABLE idemproxy_notes (name text PRIMARY KEY, value text NOT NULL);

CREATE UNLOGGED TABLE idemproxy_limits (
  subject bytea PRIMARY KEY,
  accepted bigint NOT NULL,          -- rows of idemproxy_accepted
  full_at double precision NOT NULL, -- when a bucket is full again, in microseconds since 1970
  expires_at timestamptz NOT NULL);  -- from then on it is as a new one
CREATE INDEX idemproxy_limits_by_end ON idemproxy_limits (expires_at);

CREATE UNLOGGED TABLE idemproxy_accepted (
  subject bytea NOT NULL,
  token text NOT NULL,
  came_at bigint NOT NULL,           -- microseconds since 1970
  PRIMARY KEY (subject, token));
CREATE INDEX idemproxy_accepted_by_time ON idemproxy_accepted (subject, came_at);

CREATE FUNCTION idemproxy_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $f$
  SELECT date_trunc('milliseconds', clock_timestamp()) $f$;

CREATE FUNCTION idemproxy_ms(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $f$
  SELECT ((extract(epoch FROM at) * 1000)::bigint)::text $f$;

CREATE FUNCTION idemproxy_span(ms bigint) RETURNS interval LANGUAGE sql IMMUTABLE AS $f$
  SELECT ms * interval '1 millisecond' $f$;

CREATE FUNCTION idemproxy_bytes(r idemproxy_records) RETURNS bytea LANGUAGE sql STABLE AS $f$
  SELECT convert_to(concat_ws(' ', 'idemproxy/1', r.state, r.token, idemproxy_ms(r.lease_ends_at),
                              idemproxy_ms(r.begun_at), idemproxy_ms(r.expires_at), ''), 'UTF8')
         || r.rest $f$;

CREATE FUNCTION idemproxy_is_withdrawn(the_token text) RETURNS boolean LANGUAGE sql VOLATILE AS $f$
  SELECT EXISTS (SELECT FROM idemproxy_withdrawals
                 WHERE token = the_token AND expires_at > idemproxy_now()) $f$;

CREATE FUNCTION idemproxy_limit(
    the_subject bytea, the_token text, is_bucket boolean, requests bigint, per bigint, burst bigint,
    OUT allowed boolean, OUT remaining bigint, OUT reset bigint) LANGUAGE plpgsql AS $f$
DECLARE
  held idemproxy_limits;
  clock bigint;
  gone bigint;
  interval_us double precision := per * 1000.0 / requests;
  places bigint := CASE WHEN is_bucket AND burst > 0 THEN burst ELSE requests END;
  ahead double precision;
  used bigint;
BEGIN
  LOOP
    SELECT * INTO held FROM idemproxy_limits l WHERE l.subject = the_subject FOR UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO idemproxy_limits VALUES (the_subject, 0, 0, 'epoch') ON CONFLICT DO NOTHING;
  END LOOP;
  clock := floor(extract(epoch FROM clock_timestamp()) * 1000000);
  DELETE FROM idemproxy_accepted a WHERE a.subject = the_subject AND a.came_at <= clock - per * 1000;
  GET DIAGNOSTICS gone = ROW_COUNT;
  held.accepted := held.accepted - gone;
  ahead := greatest(0, held.full_at - clock);
  used := CASE WHEN is_bucket THEN ceil(ahead / interval_us - 0.000001) ELSE held.accepted END;

  allowed := EXISTS (SELECT FROM idemproxy_accepted a
                     WHERE a.subject = the_subject AND a.token = the_token);
  IF NOT allowed AND used < places THEN
    INSERT INTO idemproxy_accepted VALUES (the_subject, the_token, clock);
    held.accepted := held.accepted + 1;
    used := used + 1;
    IF is_bucket THEN
      ahead := ahead + interval_us;
      held.full_at := clock + ahead;
    END IF;
    allowed := true;
    gone := -1;
  END IF;
  IF gone <> 0 THEN
    UPDATE idemproxy_limits l
    SET accepted = held.accepted, full_at = held.full_at,
        expires_at = greatest(held.expires_at, to_timestamp(greatest(held.full_at, clock + per * 1000)
                                                            / 1000000 + 1))
    WHERE l.subject = the_subject;
  END IF;

  remaining := greatest(0, places - used);
  IF used <= 0 THEN
    reset := 0;
  ELSIF is_bucket THEN
    reset := ceil((ahead - (used - 1) * interval_us) / 1000);
  ELSE  -- a reload may have lowered `requests`: then several leave before a place is free
    SELECT ceil((a.came_at - clock) / 1000.0 + per) INTO reset FROM idemproxy_accepted a
    WHERE a.subject = the_subject ORDER BY a.came_at OFFSET greatest(0, used - requests) LIMIT 1;
  END IF;
  reset := greatest(0, reset);
END $f$;

CREATE FUNCTION idemproxy_put(
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

CREATE FUNCTION idemproxy_put_again(was idemproxy_records) RETURNS boolean LANGUAGE sql AS $f$
  SELECT idemproxy_put(was, was.id, was.key, was.state, was.token, was.begun_at, was.lease_ends_at,
                       was.expires_at, was.rest) $f$;

CREATE FUNCTION idemproxy_remove(was idemproxy_records) RETURNS boolean LANGUAGE plpgsql AS $f$
BEGIN
  DELETE FROM idemproxy_records r
  WHERE r.id = was.id AND r.token = was.token AND r.state = was.state
    AND r.expires_at = was.expires_at;
  RETURN FOUND;
END $f$;

CREATE FUNCTION idemproxy_step(
    ask text, the_id bytea, the_key text, the_token text, replaces text, lease interval,
    keep interval, the_rest bytea,
    OUT answer text, OUT clock timestamptz, OUT shown idemproxy_records, OUT pause_left bigint) LANGUAGE plpgsql AS $f$
DECLARE
  was idemproxy_records;  -- the row under the key
  held idemproxy_records; -- the same, unless it has expired
  is_mine boolean;
  is_unknown boolean;
BEGIN
  LOOP
    SELECT * INTO was FROM idemproxy_records r WHERE r.id = the_id;
    clock := idemproxy_now();
    held := NULL;
    IF was.expires_at > clock THEN held := was; END IF;
    is_mine := coalesce(held.token = the_token, false);
    is_unknown := coalesce(held.state = 'unknown' OR
                           held.state = 'executing' AND held.lease_ends_at <= clock, false);
    shown := NULL;
    pause_left := NULL;

    IF ask = 'begin' THEN
      IF is_mine AND held.state = 'executing' THEN
        answer := 'claimed';
        IF idemproxy_put_again(was) THEN RETURN; END IF;
        CONTINUE;
      ELSIF held.id IS NOT NULL AND NOT (is_unknown AND held.token = replaces) THEN
        answer := 'held';
        shown := held;
        RETURN;
      END IF;
      IF was.id IS NOT NULL THEN
        PERFORM FROM idemproxy_records r WHERE r.id = the_id FOR UPDATE;
        IF idemproxy_is_withdrawn(the_token) THEN
          answer := 'withdrawn';
          RETURN;
        END IF;
      END IF;
      IF idemproxy_put(was, the_id, the_key, 'executing', the_token, clock, clock + lease,
                       clock + keep, the_rest) THEN
        answer := 'claimed';
        IF was.id IS NULL AND idemproxy_is_withdrawn(the_token) THEN
          answer := 'withdrawn';
          DELETE FROM idemproxy_records r WHERE r.id = the_id;
        END IF;
        RETURN;
      END IF;

    ELSIF ask IN ('complete', 'unknown') THEN
      IF held.id IS NULL THEN
        answer := 'rewritten';
        IF idemproxy_put(was, the_id, the_key,
                         CASE ask WHEN 'complete' THEN 'completed' ELSE 'unknown' END,
                         the_token, clock, clock + lease, clock + keep, the_rest) THEN
          RETURN;
        END IF;
      ELSIF is_mine AND ask = 'complete' AND held.state = 'completed' AND held.rest = the_rest
            OR is_mine AND ask = 'unknown' AND held.state = 'unknown' THEN
        answer := 'done';
        IF idemproxy_put_again(was) THEN RETURN; END IF;
      ELSIF NOT is_mine OR held.state = 'completed' THEN
        answer := 'held';
        shown := held;
        RETURN;
      ELSE
        answer := 'done';
        IF idemproxy_put(was, the_id, the_key,
                         CASE ask WHEN 'complete' THEN 'completed' ELSE 'unknown' END,
                         the_token, held.begun_at, held.lease_ends_at, clock + keep, the_rest) THEN
          RETURN;
        END IF;
      END IF;

    ELSIF ask = 'release' THEN
      answer := 'done';
      IF held.id IS NULL THEN
        RETURN;
      ELSIF NOT is_mine OR held.state = 'completed' THEN
        answer := 'held';
        shown := held;
        RETURN;
      ELSIF idemproxy_remove(was) THEN
        RETURN;
      END IF;

    ELSIF ask = 'withdraw' THEN
      -- A begin that is under way on another connection is waited for: it has written the row that
      -- this would write, and which goes again.
      IF was.id IS NULL THEN
        PERFORM idemproxy_put(NULL, the_id, the_key, 'executing', the_token, clock, clock, clock, '');
      END IF;
      SELECT * INTO was FROM idemproxy_records r WHERE r.id = the_id FOR UPDATE;
      IF FOUND THEN
        INSERT INTO idemproxy_withdrawals AS w VALUES (the_token, clock + keep)
        ON CONFLICT (token) DO UPDATE SET expires_at = greatest(w.expires_at, excluded.expires_at);
        IF was.token = the_token AND was.state <> 'completed' THEN
          PERFORM idemproxy_remove(was);
        END IF;
        answer := 'done';
        RETURN;
      END IF;

    ELSIF ask = 'look up' THEN
      IF NOT (is_mine AND is_unknown) THEN
        answer := 'changed';
        shown := held;
        RETURN;
      ELSIF held.looked_up_until > clock THEN
        answer := 'taken';
        pause_left := extract(epoch FROM held.looked_up_until - clock) * 1000;
        RETURN;
      END IF;
      UPDATE idemproxy_records r SET looked_up_until = clock + keep
      WHERE r.id = the_id AND r.token = was.token AND r.state = was.state
        AND r.expires_at = was.expires_at
        AND r.looked_up_until IS NOT DISTINCT FROM was.looked_up_until;
      IF FOUND THEN
        answer := 'granted';
        RETURN;
      END IF;

    ELSIF ask = 'release unknown' THEN
      answer := 'done';
      IF held.id IS NULL THEN
        RETURN;
      ELSIF NOT (is_mine AND is_unknown) THEN
        answer := 'held';
        shown := held;
        RETURN;
      ELSIF idemproxy_remove(was) THEN
        RETURN;
      END IF;

    ELSIF ask = 'resolve unknown' THEN
      answer := 'done';
      IF held.id IS NULL THEN
        answer := 'gone';
        RETURN;
      ELSIF is_mine AND is_unknown THEN
        IF idemproxy_put(was, the_id, the_key, 'completed', the_token, held.begun_at,
                         held.lease_ends_at, clock + keep, the_rest) THEN
          RETURN;
        END IF;
      ELSIF is_mine AND held.state = 'completed' AND held.rest = the_rest THEN
        IF idemproxy_put_again(was) THEN RETURN; END IF;
      ELSE
        answer := 'held';
        shown := held;
        RETURN;
      END IF;

    ELSIF ask = 'look' THEN
      answer := CASE WHEN held.id IS NULL THEN 'done' ELSE 'held' END;
      shown := held;
      RETURN;

    ELSE
      RAISE EXCEPTION 'idemproxy_step: unknown question %', ask;
    END IF;
  END LOOP;
END $f$;

CREATE FUNCTION idemproxy_steps(
    asks text[], ids bytea[], keys text[], tokens text[], replaced text[], leases bigint[],
    keeps bigint[], rests bytea[], subjects bytea[], counted text[], buckets bigint[],
    requests bigint[], pers bigint[], bursts bigint[])
  RETURNS TABLE (place integer, answer text, clock text, allowed text, remaining text, reset text,
                 bytes bytea) LANGUAGE plpgsql AS $f$
DECLARE
  i integer;
  verdict record;
  step record;
  were_allowed text[] := array_fill(NULL::text, ARRAY[cardinality(asks)]);
  remainings text[] := were_allowed;
  resets text[] := were_allowed;
BEGIN
  FOR i IN SELECT each.n FROM unnest(subjects) WITH ORDINALITY AS each (subject, n)
           WHERE each.subject IS NOT NULL ORDER BY each.subject, each.n LOOP
    IF asks[i] = 'begin' AND idemproxy_is_withdrawn(tokens[i]) THEN
      asks[i] := 'withdrawn';
    ELSE
      verdict := idemproxy_limit(subjects[i], counted[i], buckets[i] = 1, requests[i], pers[i],
                                 bursts[i]);
      were_allowed[i] := CASE WHEN verdict.allowed THEN '1' ELSE '0' END;
      remainings[i] := verdict.remaining::text;
      resets[i] := verdict.reset::text;
      IF asks[i] = 'count' THEN
        asks[i] := 'counted';
      ELSIF NOT verdict.allowed THEN
        asks[i] := 'limited';
      END IF;
    END IF;
  END LOOP;

  FOR i IN SELECT each.n FROM unnest(ids) WITH ORDINALITY AS each (id, n)
           ORDER BY each.id, each.n LOOP
    place := i;
    allowed := were_allowed[i];
    remaining := remainings[i];
    reset := resets[i];
    IF asks[i] IN ('withdrawn', 'limited', 'counted') THEN
      answer := asks[i];
      clock := idemproxy_ms(idemproxy_now());
      bytes := NULL;
    ELSE
      step := idemproxy_step(asks[i], ids[i], keys[i], tokens[i], replaced[i],
                             idemproxy_span(leases[i]), idemproxy_span(keeps[i]), rests[i]);
      answer := step.answer;
      clock := idemproxy_ms(step.clock);
      reset := coalesce(step.pause_left::text, reset);
      bytes := NULL;
      IF (step.shown).id IS NOT NULL THEN bytes := idemproxy_bytes(step.shown); END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
END $f$;

CREATE FUNCTION idemproxy_write_note(the_name text, replaces text, the_value text,
                                     OUT written boolean, OUT there text) LANGUAGE plpgsql AS $f$
BEGIN
  written := true;
  LOOP
    SELECT n.value INTO there FROM idemproxy_notes n WHERE n.name = the_name FOR UPDATE;
    IF there = the_value THEN
      RETURN;
    ELSIF there IS DISTINCT FROM replaces THEN
      written := false;
      RETURN;
    ELSIF FOUND THEN
      UPDATE idemproxy_notes n SET value = the_value WHERE n.name = the_name;
    ELSE
      INSERT INTO idemproxy_notes VALUES (the_name, the_value) ON CONFLICT DO NOTHING;
    END IF;
  END LOOP;
END $f$;

INSERT INTO idemproxy_schema VALUES (1);
INSERT INTO idemproxy_notes VALUES ('scopes', 'as version 1 wrote it');
INSERT INTO idemproxy_records (id, key, state, token, begun_at, lease_ends_at, expires_at, rest)
VALUES ('idemp:'::bytea || sha256('executing'), 'idemp:executing', 'executing', repeat('1', 32),
        '2026-12-01 03:03:52.654+00', '2096-12-01 03:13:52.654+00', '2097-12-01 03:23:52.654+00',
        convert_to(repeat('a5', 32) || ' 1:raw:content-type: 1 600000 600000 orders '
                   'a%20shop;%2050%25%20off 0 0 0 0' || E'\n', 'UTF8'));
INSERT INTO idemproxy_records (id, key, state, token, begun_at, lease_ends_at, expires_at, rest)
VALUES ('idemp:'::bytea || sha256('completed'), 'idemp:completed', 'completed', repeat('2', 32),
        '2026-12-01 03:03:52.654+00', '2096-12-01 03:13:52.654+00', '2097-12-01 03:23:52.654+00',
        convert_to(repeat('a5', 32) || ' 1:raw:content-type: 1 600000 600000 orders '
                   'a%20shop;%2050%25%20off 201 1 58 11' ||
                   E'\nContent-Type: application/json\r\nLink: </a>\r\nlink: </b>\r\n\r\n'
                   '{"order":1}', 'UTF8'));
INSERT INTO idemproxy_records (id, key, state, token, begun_at, lease_ends_at, expires_at, rest)
VALUES ('idemp:'::bytea || sha256('unknown'), 'idemp:unknown', 'unknown', repeat('3', 32),
        '2026-12-01 03:03:52.654+00', '2096-12-01 03:13:52.654+00', '2097-12-01 03:23:52.654+00',
        convert_to(repeat('a5', 32) || ' 1:raw:content-type: 1 600000 600000 orders '
                   'a%20shop;%2050%25%20off 0 0 0 0' || E'\n', 'UTF8'));
