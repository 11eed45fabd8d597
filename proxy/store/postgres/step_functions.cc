#include "proxy/store/postgres/step_functions.h"

// A batch of steps is one call of idemproxy_steps(), and so one transaction. It counts first, in
// the order of subjects, then takes the steps in the order of keys and, for one key, in the order
// in which they were asked: whoever waits for a row waits for one that stands behind all that it
// holds itself, so two batches never wait for each other. The functions read with a new snapshot at
// each of their statements (READ COMMITTED, which the connection sets).
//
//   asks             ids, keys  tokens  replaced  leases  keeps                rests  LIMIT
//   begin            yes        yes     or ''     yes     lease + unknown_ttl  yes    or nulls
//   complete         yes        yes     ''        yes     ttl                  yes    -
//   unknown          yes        yes     ''        yes     unknown_ttl          yes    -
//   release          yes        yes     ''        -       -                    -      -
//   withdraw         yes        yes     ''        -       one lease            -      -
//   look             yes        ''      ''        -       -                    -      -
//   look up          yes        yes     ''        -       pause                -      -
//   release unknown  yes        yes     ''        -       -                    -      -
//   resolve unknown  yes        yes     ''        -       ttl                  yes    -
//   count            ''         ''      ''        -       -                    -      yes
//
//   LIMIT = subject, token, whether it is a bucket, requests, per, burst
//
// Each answers with: a word, the time, the verdict of its limit (allowed, remaining, reset), and
// the record that it found, in its byte form.
//
//   begin            claimed, held RECORD, limited, withdrawn
//   complete, unknown, release, withdraw, look, release unknown, resolve unknown
//                    done, rewritten, held RECORD, gone
//   look up          granted, taken (reset: for how long still), changed RECORD or null
//   count            counted
namespace idem::store {
namespace {

// Read, decide, then write only what still stands as it was read; else begin anew. A row that
// another transaction has written and not yet committed is waited for, by INSERT and UPDATE alike,
// and its outcome is read then. What is only read is not locked, so a replay writes nothing.
//
// A step that was taken before and is asked again writes the row as it is. Where a synchronous
// standby is waited for, the first commit may be seen without the standby having it (the server was
// restarted while it waited): the answer to the second has to wait for one of its own.
//
// Begin and withdraw meet at the row of the key, whether there is one or not: the later of them
// sees what the other did.
constexpr std::string_view kSteps = R"sql(
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
)sql";

}  // namespace

std::string_view PostgresStepFunctions() { return kSteps; }

}  // namespace idem::store
