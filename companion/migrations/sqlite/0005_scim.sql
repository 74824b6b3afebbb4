-- Accounts that SCIM made: without a subject until one is known, and without a gateway. SQLite cannot take NOT NULL from a
-- column, so the table is made anew.

CREATE TABLE accounts_anew (
    id                   TEXT    NOT NULL PRIMARY KEY,
    issuer               TEXT,
    subject              TEXT,
    subject_key          TEXT    UNIQUE,
    kind                 TEXT    NOT NULL,
    attributes           TEXT    NOT NULL,
    mapping              TEXT,
    gateway              TEXT,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    first_seen           INTEGER,
    last_seen            INTEGER,
    sightings            INTEGER NOT NULL DEFAULT 0,
    attributes_issued_at INTEGER,
    state                TEXT    NOT NULL DEFAULT 'active',
    state_since          INTEGER NOT NULL DEFAULT 0,
    departure_record     INTEGER REFERENCES audit (sequence),
    -- As a SCIM client wrote it; null if none did.
    external_id          TEXT,
    -- The user name in lower case, or what stands in for it, cut to what an index takes.
    user_name            TEXT    NOT NULL DEFAULT '',
    -- The names of the attributes that SCIM has the last word on, as a JSON list.
    owned                TEXT    NOT NULL DEFAULT '[]',
    UNIQUE (issuer, subject)
) STRICT;

INSERT INTO accounts_anew
    SELECT id, issuer, subject, subject_key, kind, attributes, mapping, gateway, created_at, updated_at, first_seen,
           last_seen, sightings, attributes_issued_at, state, state_since, departure_record, NULL,
           substr(lower(coalesce(json_extract(attributes, '$.userName'), subject)), 1, 200), '[]'
    FROM accounts;

DROP TABLE accounts;
ALTER TABLE accounts_anew RENAME TO accounts;

CREATE INDEX accounts_by_state ON accounts (state, id);
CREATE INDEX accounts_by_departure ON accounts (departure_record) WHERE departure_record IS NOT NULL;
CREATE INDEX accounts_by_external_id ON accounts (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX accounts_by_user_name ON accounts (user_name);
CREATE INDEX accounts_by_modification
    ON accounts ((CASE WHEN updated_at > state_since THEN updated_at ELSE state_since END), id);

-- How many accounts are in each state: a list of a million says at once how long it is.
CREATE TABLE account_counts (
    state    TEXT    NOT NULL PRIMARY KEY,
    accounts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO account_counts VALUES ('pending', 0), ('active', 0), ('disabled', 0), ('departed', 0);
UPDATE account_counts SET accounts = (SELECT count(*) FROM accounts WHERE accounts.state = account_counts.state);

CREATE TRIGGER accounts_are_counted AFTER INSERT ON accounts
BEGIN UPDATE account_counts SET accounts = accounts + 1 WHERE state = new.state; END;

CREATE TRIGGER accounts_are_counted_anew AFTER UPDATE OF state ON accounts WHEN old.state <> new.state
BEGIN
    UPDATE account_counts SET accounts = accounts - 1 WHERE state = old.state;
    UPDATE account_counts SET accounts = accounts + 1 WHERE state = new.state;
END;

CREATE INDEX audit_by_account ON audit (account, sequence);

CREATE TABLE scim_groups (
    id           TEXT    NOT NULL PRIMARY KEY,
    display_name TEXT    NOT NULL,
    -- The display name in lower case, cut to what an index takes.
    name         TEXT    NOT NULL,
    external_id  TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    -- How often it was changed.
    version      INTEGER NOT NULL
) STRICT;

CREATE INDEX scim_groups_by_name ON scim_groups (name);
CREATE INDEX scim_groups_by_external_id ON scim_groups (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE scim_members (
    scim_group TEXT NOT NULL REFERENCES scim_groups (id),
    account    TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (scim_group, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX scim_members_by_account ON scim_members (account);
