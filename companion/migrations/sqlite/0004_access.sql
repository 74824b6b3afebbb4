-- Tokens for the API: what they are for, and the SHA-256 of each; never a token itself. Rows stay, so that a name in the
-- audit can be looked up. A name has several tokens that work while one is rotated.

CREATE TABLE tokens (
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    hash         TEXT    NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT;

CREATE INDEX tokens_by_name ON tokens (name);

-- The token that a record of the audit is about, as JSON; such a record is about no account.
ALTER TABLE audit ADD COLUMN token TEXT;
