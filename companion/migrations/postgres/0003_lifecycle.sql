-- Everything that became of accounts: appended to, never changed. Each record holds the hash of the one before it.

CREATE TABLE audit (
    sequence    BIGINT NOT NULL PRIMARY KEY,
    at          BIGINT NOT NULL,
    account     TEXT   NOT NULL,
    subject_key TEXT   NOT NULL,
    event       TEXT   NOT NULL,
    cause       TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    gateway     TEXT,
    mapping     TEXT,
    attributes  TEXT   NOT NULL,
    reason      TEXT,
    previous    TEXT   NOT NULL,
    hash        TEXT   NOT NULL
);

CREATE INDEX audit_by_subject ON audit (subject_key, sequence);

CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit is appended to and never changed'; END $$;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses();

CREATE TRIGGER audit_is_not_shortened BEFORE DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses();

-- The last record: without it nobody would miss the end of the chain.
CREATE TABLE audit_head (
    sequence BIGINT NOT NULL,
    hash     TEXT   NOT NULL
);

INSERT INTO audit_head VALUES (0, '0000000000000000000000000000000000000000000000000000000000000000');

-- Whether the account may be used, and since when.
ALTER TABLE accounts ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE accounts ADD COLUMN state_since BIGINT NOT NULL DEFAULT 0;
UPDATE accounts SET state_since = created_at;
CREATE INDEX accounts_by_state ON accounts (state, id);

-- The record of its latest departure or return, which is its place in the feed of departures.
ALTER TABLE accounts ADD COLUMN departure_record BIGINT REFERENCES audit (sequence);
CREATE INDEX accounts_by_departure ON accounts (departure_record) WHERE departure_record IS NOT NULL;
