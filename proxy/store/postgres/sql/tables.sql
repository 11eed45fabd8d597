-- The tables lie in the first schema of the search_path. Times are the database's clock,
-- cut to milliseconds.

-- One row: the version of the tables and functions.
CREATE TABLE idemproxy_schema (version integer NOT NULL);

-- A row for each record. `rest` is its byte form behind the times, which only the database knows
-- (idempotency::EncodeRest).
CREATE TABLE idemproxy_records (
  id bytea PRIMARY KEY,            -- the prefix, then SHA-256 of the record's key: a scope may be
                                   -- longer than an index allows
  key text NOT NULL,               -- prefix and key, for people who read the table
  state text NOT NULL CHECK (state IN ('executing', 'completed', 'unknown')),
  token text NOT NULL,
  begun_at timestamptz NOT NULL,
  lease_ends_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL, -- from then on it reads as absent
  looked_up_until timestamptz,     -- until then no other proxy may look it up at the backend
  rest bytea NOT NULL);
CREATE INDEX idemproxy_records_by_end ON idemproxy_records (expires_at);

-- Tokens whose begin changes nothing if it arrives now.
CREATE TABLE idemproxy_withdrawals (token text PRIMARY KEY, expires_at timestamptz NOT NULL);
CREATE INDEX idemproxy_withdrawals_by_end ON idemproxy_withdrawals (expires_at);

-- The values of ports::NoteStore.
CREATE TABLE idemproxy_notes (name text PRIMARY KEY, value text NOT NULL);

-- A row for each subject that is counted: a step that counts locks it. This table and the next are
-- not logged: a crash of the database forgets the counts, and a commit that only counted waits for
-- no disk.
CREATE UNLOGGED TABLE idemproxy_limits (
  subject bytea PRIMARY KEY,
  accepted bigint NOT NULL,          -- rows of idemproxy_accepted
  full_at double precision NOT NULL, -- when a bucket is full again, in microseconds since 1970
  expires_at timestamptz NOT NULL);  -- from then on it equals a new one
CREATE INDEX idemproxy_limits_by_end ON idemproxy_limits (expires_at);

-- The requests of a subject that count now.
CREATE UNLOGGED TABLE idemproxy_accepted (
  subject bytea NOT NULL,
  token text NOT NULL,
  came_at bigint NOT NULL,           -- microseconds since 1970
  PRIMARY KEY (subject, token));
CREATE INDEX idemproxy_accepted_by_time ON idemproxy_accepted (subject, came_at);
