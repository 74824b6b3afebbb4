-- Who is logged in to the console. The session's id is in the browser alone: here is its hash, and the digest of the token
-- it was opened with, sealed under the id.

CREATE TABLE sessions (
    hash      TEXT   NOT NULL PRIMARY KEY,
    token     TEXT   NOT NULL,
    opened_at BIGINT NOT NULL,
    used_at   BIGINT NOT NULL,
    notice    TEXT
);

-- What the console searches by.
CREATE INDEX accounts_by_sub ON accounts (subject);
CREATE INDEX audit_by_time ON audit (at, sequence);

-- The beginning of a user name is found by this index only if names are ordered by their bytes, as in SQLite.
ALTER TABLE accounts ALTER COLUMN user_name TYPE TEXT COLLATE "C";
