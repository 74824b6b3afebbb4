"""Fills a database past the directory, with what arrivals and decisions of a year leave: accounts, and the audit's chain."""
import hashlib
import json
import sqlite3
from itertools import chain

from measure.arms import ISSUER

from . import people
from .directory import sql
from .people import rfc3339

ACCOUNT = (
    "id issuer subject subject_key kind attributes mapping gateway created_at updated_at attributes_issued_at "
    "first_seen last_seen sightings external_id user_name state state_since departure_record"
).split()
RECORD = "sequence at account subject_key event cause actor gateway mapping attributes reason previous hash".split()
BEGINNING = "0" * 64
AT_ONCE = 10_000

# One in so many departed, is disabled, waits; changed once; changed again and again, and so often.
DEPARTED, DISABLED, PENDING, CHANGED, RESTLESS, CHANGES = 100, 200, 1000, 6, 100_000, 500


def fill(database, count):
    """Adds that many people, the first of whom is number 0, to a database that has nobody."""
    if database.startswith("sqlite:"):
        fill_sqlite(database.partition(":")[2], count)
    else:
        sql(database, postgres(count))


def fill_sqlite(path, count):
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;")
    marks = lambda names: f"({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: E731
    trail = Trail()
    for accounts, records in chunks(count, trail):
        connection.executemany(f"INSERT INTO audit {marks(RECORD)}", records)
        connection.executemany(f"INSERT INTO accounts {marks(ACCOUNT)}", accounts)
        connection.commit()
    connection.execute("UPDATE audit_head SET sequence = ?, hash = ?", (trail.sequence, trail.hash))
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def postgres(count):
    """What psql is told, in pieces."""
    trail = Trail()
    for accounts, records in chunks(count, trail):
        yield from copied("audit", RECORD, records)
        yield from copied("accounts", ACCOUNT, accounts)
    yield f"UPDATE audit_head SET sequence = {trail.sequence}, hash = '{trail.hash}';\nVACUUM ANALYZE;\n"


def copied(table, names, rows):
    told = lambda value: "\\N" if value is None else str(value)  # noqa: E731
    yield f"COPY {table} ({', '.join(names)}) FROM STDIN;\n"
    yield from ("\t".join(map(told, row)) + "\n" for row in rows)
    yield "\\.\n"


def chunks(count, trail):
    """Rows of accounts and of the audit, a few thousand at a time."""
    for start in range(0, count, AT_ONCE):
        accounts, records = zip(*(one(number, trail) for number in range(start, min(start + AT_ONCE, count))))
        yield accounts, chain.from_iterable(records)


class Trail:
    """The end of the chain."""

    def __init__(self):
        self.sequence, self.hash = 0, BEGINNING

    def append(self, *said):
        """A record's row after one more; the hash is that of the record's line in an export, without the hash."""
        self.sequence, previous = self.sequence + 1, self.hash
        record = dict(zip(RECORD, (self.sequence, *said, previous)))
        at, names = record["at"], record["attributes"]
        line = json.dumps({**record, "at": rfc3339(at)}, separators=(",", ":"))
        self.hash = hashlib.sha256(line.encode()).hexdigest()
        return (*{**record, "attributes": json.dumps(names, separators=(",", ":"))}.values(), self.hash)


def one(number, trail):
    """An account's row, and its records."""
    at, id, key = people.came_at(number), people.account_id(number), people.subject_key(ISSUER, people.subject(number))
    gateway = f"edge-{number % 4}"
    state, since, departure = "active", at, None

    def told(event, cause, actor, gateway=None, names=(), reason=None):
        mapping = gateway and people.MAPPING
        return trail.append(at, id, key, event, cause, actor, gateway, mapping, list(names), reason)

    records = [told("arrival", "arrival", "gateway", gateway, ("emails", "userName"))]
    changes = CHANGES if number % RESTLESS == 50 else int(number % CHANGED == 3)
    records += [told("drift", "drift", "gateway", gateway, ("emails",)) for _ in range(changes)]
    if number % DEPARTED == 7:
        records.append(told("departure", "admin", "admin", reason="left the company"))
        state, departure = "departed", trail.sequence
    elif number % DISABLED == 11:
        records.append(told("disable", "admin", "admin", reason="on leave"))
        state, departure = "disabled", trail.sequence
    elif number % PENDING == 13:
        state = "pending"
    names = json.dumps(people.attributes(number), separators=(",", ":"))
    seen = (at, at + number % 86_400_000, 1 + number % 500)
    # Every other one has a name that a SCIM client gave it.
    scim = (people.external_id(number) if number % 2 else None, people.subject(number))
    row = (id, ISSUER, people.subject(number), key, "person", names, people.MAPPING, gateway, at, at, at, *seen)
    return (*row, *scim, state, since, departure), records
