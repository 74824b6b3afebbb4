-- Which security events were taken, so that one that comes again changes nothing; kept until it would be refused for its
-- age.

CREATE TABLE signals_taken (
    issuer TEXT    NOT NULL,
    id     TEXT    NOT NULL,
    until  BIGINT  NOT NULL,
    PRIMARY KEY (issuer, id)
);

CREATE INDEX signals_taken_by_age ON signals_taken (until);

-- When the newest event was made that shut or opened the account: an older one that comes late changes nothing.
ALTER TABLE accounts ADD COLUMN signalled_at BIGINT;
