-- Accounts that SCIM made: without a subject until one is known, and without a gateway.

ALTER TABLE accounts ALTER COLUMN issuer DROP NOT NULL;
ALTER TABLE accounts ALTER COLUMN subject DROP NOT NULL;
ALTER TABLE accounts ALTER COLUMN subject_key DROP NOT NULL;
ALTER TABLE accounts ALTER COLUMN mapping DROP NOT NULL;
ALTER TABLE accounts ALTER COLUMN gateway DROP NOT NULL;

-- As a SCIM client wrote it; null if none did.
ALTER TABLE accounts ADD COLUMN external_id TEXT;
-- The user name in lower case, or what stands in for it, cut to what an index takes.
ALTER TABLE accounts ADD COLUMN user_name TEXT NOT NULL DEFAULT '';
-- The names of the attributes that SCIM has the last word on, as a JSON list.
ALTER TABLE accounts ADD COLUMN owned TEXT NOT NULL DEFAULT '[]';

-- JSON may hold a NUL, and text here may not.
UPDATE accounts SET user_name = left(lower(
    CASE WHEN position('\u0000' IN attributes) > 0 THEN subject
         ELSE coalesce(attributes::jsonb ->> 'userName', subject) END), 200);

CREATE INDEX accounts_by_external_id ON accounts (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX accounts_by_user_name ON accounts (user_name);
CREATE INDEX accounts_by_modification
    ON accounts ((CASE WHEN updated_at > state_since THEN updated_at ELSE state_since END), id);

-- How many accounts are in each state: a list of a million says at once how long it is.
CREATE TABLE account_counts (
    state    TEXT   NOT NULL PRIMARY KEY,
    accounts BIGINT NOT NULL
);

INSERT INTO account_counts VALUES ('pending', 0), ('active', 0), ('disabled', 0), ('departed', 0);
UPDATE account_counts SET accounts = (SELECT count(*) FROM accounts WHERE accounts.state = account_counts.state);

-- Once for all that a statement adds: a row that one transaction writes very often becomes slow.
CREATE FUNCTION count_new_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account_counts SET accounts = accounts + added.number
    FROM (SELECT state, count(*) AS number FROM new_accounts GROUP BY state) AS added
    WHERE account_counts.state = added.state;
    RETURN NULL;
END $$;

CREATE TRIGGER accounts_are_counted AFTER INSERT ON accounts REFERENCING NEW TABLE AS new_accounts
FOR EACH STATEMENT EXECUTE FUNCTION count_new_accounts();

CREATE FUNCTION count_accounts_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account_counts SET accounts = accounts - 1 WHERE state = old.state;
    UPDATE account_counts SET accounts = accounts + 1 WHERE state = new.state;
    RETURN NULL;
END $$;

CREATE TRIGGER accounts_are_counted_anew AFTER UPDATE OF state ON accounts
FOR EACH ROW WHEN (old.state <> new.state) EXECUTE FUNCTION count_accounts_anew();

CREATE INDEX audit_by_account ON audit (account, sequence);

CREATE TABLE scim_groups (
    id           TEXT   NOT NULL PRIMARY KEY,
    display_name TEXT   NOT NULL,
    -- The display name in lower case, cut to what an index takes.
    name         TEXT   NOT NULL,
    external_id  TEXT,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    -- How often it was changed.
    version      BIGINT NOT NULL
);

CREATE INDEX scim_groups_by_name ON scim_groups (name);
CREATE INDEX scim_groups_by_external_id ON scim_groups (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE scim_members (
    scim_group TEXT NOT NULL REFERENCES scim_groups (id),
    account    TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (scim_group, account)
);

CREATE INDEX scim_members_by_account ON scim_members (account);
