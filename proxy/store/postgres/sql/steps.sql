-- A batch of steps: idemproxy_steps() counts, then runs idemproxy_step() for each of them.

-- Takes one step: reads the row, and lets the transition decide until the row stays as it was read.
-- Version 1 had the same signature: a batch of version 1 that runs during the change calls this.
CREATE OR REPLACE FUNCTION idemproxy_step(
    ask text, the_id bytea, the_key text, the_token text, replaces text, lease interval,
    keep interval, the_rest bytea,
    OUT answer text, OUT clock timestamptz, OUT shown idemproxy_records, OUT pause_left bigint)
  LANGUAGE plpgsql AS $f$
DECLARE
  was idemproxy_records;
  present boolean;
BEGIN
  LOOP
    SELECT * INTO was FROM idemproxy_records r WHERE r.id = the_id;
    clock := idemproxy_now();
    present := coalesce(was.expires_at > clock, false);
    CASE ask
      WHEN 'begin' THEN
        answer := idemproxy_begin(was, present, the_id, the_key, the_token, replaces, clock, lease,
                                  keep, the_rest);
      WHEN 'complete' THEN
        answer := idemproxy_complete(was, present, the_id, the_key, the_token, clock, lease, keep,
                                     the_rest);
      WHEN 'look' THEN
        answer := CASE WHEN present THEN 'held' ELSE 'done' END;
      WHEN 'unknown' THEN
        answer := idemproxy_mark_unknown(was, present, the_id, the_key, the_token, clock, lease,
                                         keep, the_rest);
      WHEN 'release' THEN
        answer := idemproxy_release(was, present, the_token);
      WHEN 'withdraw' THEN
        answer := idemproxy_withdraw(was, the_id, the_key, the_token, clock, keep);
      WHEN 'look up' THEN
        answer := idemproxy_look_up(was, present, the_token, clock, keep);
      WHEN 'release unknown' THEN
        answer := idemproxy_release_unknown(was, present, the_token, clock);
      WHEN 'resolve unknown' THEN
        answer := idemproxy_resolve_unknown(was, present, the_token, clock, keep, the_rest);
      ELSE
        RAISE EXCEPTION 'idemproxy_step: unknown question %', ask;
    END CASE;
    EXIT WHEN answer IS NOT NULL;
  END LOOP;
  IF present AND answer IN ('held', 'changed') THEN
    shown := was;
  ELSIF answer = 'taken' THEN
    pause_left := extract(epoch FROM was.looked_up_until - clock) * 1000;
  END IF;
END $f$;

-- Counts in the order of subjects, then takes the steps in the order of keys and, for one key, in
-- the order of the arrays. So a batch that waits for a row waits for one that stands behind all the
-- rows that it has locked, and two batches never wait for each other.
CREATE OR REPLACE FUNCTION idemproxy_steps(
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
  -- Most batches count nothing.
  IF array_remove(subjects, NULL) <> '{}' THEN
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
  END IF;

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
