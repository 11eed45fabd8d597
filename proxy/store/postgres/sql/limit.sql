-- Counts one request of a subject. A window keeps the accepted requests of the last `per`
-- milliseconds. A bucket keeps the moment at which it is full again, and each accepted request
-- moves it by one interval. A token that was counted before is allowed again and counted once.
CREATE OR REPLACE FUNCTION idemproxy_limit(
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
  DELETE FROM idemproxy_accepted a
  WHERE a.subject = the_subject AND a.came_at <= clock - per * 1000;
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
        expires_at = greatest(
            held.expires_at,
            to_timestamp(greatest(held.full_at, clock + per * 1000) / 1000000 + 1))
    WHERE l.subject = the_subject;
  END IF;

  remaining := greatest(0, places - used);
  IF used <= 0 THEN
    reset := 0;
  ELSIF is_bucket THEN
    reset := ceil((ahead - (used - 1) * interval_us) / 1000);
  ELSE
    -- A reload may have lowered `requests`: then several leave before a place is free.
    SELECT ceil((a.came_at - clock) / 1000.0 + per) INTO reset FROM idemproxy_accepted a
    WHERE a.subject = the_subject ORDER BY a.came_at OFFSET greatest(0, used - requests) LIMIT 1;
  END IF;
  reset := greatest(0, reset);
END $f$;
