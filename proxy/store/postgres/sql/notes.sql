-- Writes a note if its value is the expected one (`replaces`, or null for none), or the new one
-- already.
CREATE OR REPLACE FUNCTION idemproxy_write_note(the_name text, replaces text, the_value text,
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
