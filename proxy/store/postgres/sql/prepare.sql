-- Makes the tables and functions that are missing, and brings those of an older version to this
-- one. Two programs that start at the same moment both find them missing or old; the lock makes the
-- second one look again. The lock's number has no other meaning.
DO $prepare$
DECLARE
  ours CONSTANT integer := %VERSION%;
  theirs integer;
  versions integer;
  home text;   -- the schema of the tables
  owner text;  -- the role that made them
BEGIN
  IF to_regclass('idemproxy_schema') IS NULL THEN
    PERFORM pg_advisory_xact_lock(1768187248, 1);
  END IF;
  IF to_regclass('idemproxy_schema') IS NULL THEN
    IF NOT has_schema_privilege(current_schema(), 'CREATE') THEN
      RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format(
        'the tables of idemproxy are not there, and the role %I may not make them: '
        'GRANT CREATE ON SCHEMA %I TO %I', current_user, current_schema(), current_user);
    END IF;
    %TABLES%
    INSERT INTO idemproxy_schema VALUES (0);
  END IF;

  SELECT count(*), max(version) INTO versions, theirs FROM idemproxy_schema;
  IF versions <> 1 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_schema_definition', MESSAGE = format(
      'the table idemproxy_schema has %s rows, where the one with the version should be: %s',
      versions, 'restore the tables of idemproxy from a copy, or use another database');
  END IF;

  IF theirs < ours THEN
    PERFORM pg_advisory_xact_lock(1768187248, 1);
    SELECT max(version) INTO theirs FROM idemproxy_schema;
  END IF;
  IF theirs < ours THEN
    SELECT c.relnamespace::regnamespace, c.relowner::regrole INTO home, owner FROM pg_class c
    WHERE c.oid = to_regclass('idemproxy_schema');
    IF NOT (has_schema_privilege(home::regnamespace, 'CREATE')
            AND pg_has_role(owner::regrole, 'USAGE')) THEN
      RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format(
        'the tables of idemproxy are of version %s, and the role %I may not bring them to version '
        '%s: start this program once as the role %s, with CREATE on the schema %s',
        theirs, current_user, ours, owner, home);
    END IF;
    PERFORM set_config('search_path', home, true);
    %FUNCTIONS%
    UPDATE idemproxy_schema SET version = ours;
    theirs := ours;
  END IF;
  IF theirs <> ours THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_schema_definition', MESSAGE = format(
      'the tables of idemproxy in this database are of version %s, and this program knows '
      'version %s: use the newer program, or another database', theirs, ours);
  END IF;
END $prepare$
