-- What dormancy made of an account: awake, review, warned, disabled, knocked or returned; and since when.
ALTER TABLE accounts ADD COLUMN dormancy TEXT NOT NULL DEFAULT 'awake';
ALTER TABLE accounts ADD COLUMN marked_at BIGINT;

-- A time at which the account was in use, though not always the latest: sightings leave it as it is, so that they write no
-- index, and the sweeper moves it along when it looks at the account. Exact while the account is marked.
ALTER TABLE accounts ADD COLUMN active_at BIGINT NOT NULL DEFAULT 0;
UPDATE accounts SET active_at = CASE WHEN last_seen > state_since THEN last_seen ELSE state_since END;

-- Who may have become dormant, and who is marked.
CREATE INDEX accounts_by_activity ON accounts (kind, dormancy, active_at, id) WHERE state = 'active';
CREATE INDEX accounts_by_mark ON accounts (id) WHERE dormancy <> 'awake';

-- When a sweep was last due, and what the latest one came to, as JSON.
CREATE TABLE dormancy_sweep (
    due_at  BIGINT NOT NULL,
    outcome TEXT NOT NULL
);

INSERT INTO dormancy_sweep VALUES (0, 'null');
