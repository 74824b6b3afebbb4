-- Times are milliseconds since the Unix epoch, UTC.

CREATE TABLE accounts (
    id          TEXT    NOT NULL PRIMARY KEY,
    issuer      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    subject_key TEXT    NOT NULL UNIQUE,
    kind        TEXT    NOT NULL,
    attributes  TEXT    NOT NULL,
    mapping     TEXT    NOT NULL,
    gateway     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    first_seen  INTEGER,
    last_seen   INTEGER,
    sightings   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (issuer, subject)
) STRICT;

-- Which events were applied, so that one that is sent again changes nothing.
CREATE TABLE sighting_receipts (
    source      TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sighting_receipts_by_age ON sighting_receipts (received_at);
