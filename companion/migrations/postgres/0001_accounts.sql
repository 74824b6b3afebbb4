-- Times are milliseconds since the Unix epoch, UTC.

CREATE TABLE accounts (
    id          TEXT   NOT NULL PRIMARY KEY,
    issuer      TEXT   NOT NULL,
    subject     TEXT   NOT NULL,
    subject_key TEXT   NOT NULL UNIQUE,
    kind        TEXT   NOT NULL,
    attributes  TEXT   NOT NULL,
    mapping     TEXT   NOT NULL,
    gateway     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    first_seen  BIGINT,
    last_seen   BIGINT,
    sightings   BIGINT NOT NULL DEFAULT 0,
    UNIQUE (issuer, subject)
);

-- Which events were applied, so that one that is sent again changes nothing.
CREATE TABLE sighting_receipts (
    source      TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (source, id)
);

CREATE INDEX sighting_receipts_by_age ON sighting_receipts (received_at);
