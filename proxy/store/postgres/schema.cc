#include "proxy/store/postgres/schema.h"

#include <string_view>

#include "proxy/store/postgres/limit_function.h"
#include "proxy/store/postgres/step_functions.h"

// Tables (in the first schema of the connection's search_path):
//
//   idemproxy_schema        one row: the version of all that stands here
//   idemproxy_records       a row for each record; `rest` is its byte form behind the times, which
//                           only the database knows (idempotency::EncodeRest)
//   idemproxy_withdrawals   tokens whose begin changes nothing if it arrives now
//   idemproxy_notes         ports::NoteStore
//   idemproxy_limits        a row for each subject that is counted; whoever counts locks it
//   idemproxy_accepted      the requests of a subject that count now
//
// The last two are not logged: a crash of the database forgets who asked how often, and a commit
// that only counted waits for no disk. Times are the database's clock, cut to milliseconds.
namespace idem::store {
namespace {

constexpr std::string_view kTables = R"sql(
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
)sql";

constexpr std::string_view kWords = R"sql(
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
)sql";

constexpr std::string_view kNotes = R"sql(
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
)sql";

// Two programs that look at the same moment both find the tables missing; the lock makes the second
// look again. Its number is of no meaning but its own.
constexpr std::string_view kPrepare = R"sql(
DO $prepare$
DECLARE
  ours CONSTANT integer := %VERSION%;
  theirs integer;
  versions integer;
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
    %CREATE%
    INSERT INTO idemproxy_schema VALUES (ours);
  END IF;
  SELECT count(*), max(version) INTO versions, theirs FROM idemproxy_schema;
  IF versions <> 1 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_schema_definition', MESSAGE = format(
      'the table idemproxy_schema has %s rows, where the one with the version should be: %s',
      versions, 'restore the tables of idemproxy from a copy, or use another database');
  END IF;
  IF theirs <> ours THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_schema_definition', MESSAGE = format(
      'the tables of idemproxy in this database are of version %s, and this program knows version %s: %s',
      theirs, ours, 'use the newer program, or another database');
  END IF;
END $prepare$
)sql";

void Replace(std::string& text, std::string_view what, std::string_view by) {
  text.replace(text.find(what), what.size(), by);
}

}  // namespace

std::string PostgresSchemaSql() {
  std::string create;
  for (const std::string_view part :
       {kTables, kWords, PostgresLimitFunction(), PostgresStepFunctions(), kNotes}) {
    create += part;
  }
  std::string sql(kPrepare);
  Replace(sql, "%VERSION%", std::to_string(kPostgresSchemaVersion));
  Replace(sql, "%CREATE%", create);
  return sql;
}

}  // namespace idem::store
