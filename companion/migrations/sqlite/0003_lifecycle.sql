-- Everything that became of accounts: appended to, never changed. Each record holds the hash of the one before it.

CREATE TABLE audit (
    sequence    INTEGER NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    account     TEXT    NOT NULL,
    subject_key TEXT    NOT NULL,
    event       TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    gateway     TEXT,
    mapping     TEXT,
    attributes  TEXT    NOT NULL,
    reason      TEXT,
    previous    TEXT    NOT NULL,
    hash        TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_by_subject ON audit (subject_key, sequence);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is appended to and never changed'); END;

CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is appended to and never changed'); END;

-- The last record: without it nobody would miss the end of the chain.
CREATE TABLE audit_head (
    sequence INTEGER NOT NULL,
    hash     TEXT    NOT NULL
) STRICT;

INSERT INTO audit_head VALUES (0, '0000000000000000000000000000000000000000000000000000000000000000');

-- Whether the account may be used, and since when.
ALTER TABLE accounts ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE accounts ADD COLUMN state_since INTEGER NOT NULL DEFAULT 0;
UPDATE accounts SET state_since = created_at;
CREATE INDEX accounts_by_state ON accounts (state, id);

-- The record of its latest departure or return, which is its place in the feed of departures.
ALTER TABLE accounts ADD COLUMN departure_record INTEGER REFERENCES audit (sequence);
CREATE INDEX accounts_by_departure ON accounts (departure_record) WHERE departure_record IS NOT NULL;
