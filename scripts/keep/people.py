"""Who is in the directory of a measurement, by number, and what gateways say of them.

>>> subject_key("https://idp.example.com", "jane")[:16]
'2974105f792942fe'
>>> rfc3339(1_795_458_540_000)
'2026-11-23T18:29:00.000Z'
"""
import hashlib
import json
import random
import time

from measure.arms import ISSUER

# When the first of them came, in milliseconds; each next one came a little later.
FIRST_CAME = 1_764_000_000_000
APART = 20
MAPPING = "5f1e" * 16
# What a gateway sends at once.
BATCH = 500


def subject(number):
    return f"person-{number}"


def came_at(number):
    return FIRST_CAME + number * APART


def account_id(number):
    """In the order of time, as the directory's own are (UUID version 7)."""
    moment = f"{came_at(number):012x}"
    return f"{moment[:8]}-{moment[8:]}-7000-8000-{number:012x}"


def external_id(number):
    return f"employee-{number}"


def attributes(number):
    return {"userName": subject(number), "emails": f"{subject(number)}@example.com"}


def subject_key(issuer, id):
    digest = hashlib.sha256()
    for part in (issuer.encode(), id.encode()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def rfc3339(millis):
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(millis // 1000))}.{millis % 1000:03}Z"


def write_arrivals(folder, numbers):
    """A file of arrivals, one in a line, as gateways send them for who was never seen before."""
    at = rfc3339(int(time.time() * 1000))
    return write(folder / "arrivals.txt", (arrival(number, at) for number in numbers))


def arrival(number, at):
    key = subject_key(ISSUER, subject(number))
    return {
        "subject": {"issuer": ISSUER, "id": subject(number), "key": key},
        "kind": "person",
        "cause": "arrival",
        "attributes": attributes(number),
        "issued_at": at,
        "mapping": MAPPING,
        "sighted_at": at,
        "gateway": "edge-1",
    }


def write_sightings(folder, people, batches):
    """A file of full batches, one in a line, each of other people, out of so many."""
    dice, now = random.Random(5), int(time.time() * 1000)
    keys = [subject_key(ISSUER, subject(number)) for number in range(people)]

    def event(batch, number):
        last = now + batch * 10 + number % 1000
        return {
            "specversion": "1.0",
            "id": f"{batch % 8:032x}-{batch * BATCH + number}",
            "source": f"/gateways/edge-{batch % 4}",
            "type": "dev.firstsight.subject.sighted",
            "subject": keys[number],
            "time": rfc3339(last),
            "datacontenttype": "application/json",
            "data": {
                "issuer": ISSUER,
                "id": subject(number),
                "account": account_id(number),
                "first_seen": rfc3339(last - 50_000),
                "last_seen": rfc3339(last),
                "count": 1 + number % 30,
            },
        }

    whole = range(people)
    bodies = ([event(batch, who) for who in dice.sample(whole, BATCH)] for batch in range(batches))
    return write(folder / "sightings.txt", bodies)


def write(path, documents):
    with open(path, "w") as lines:
        lines.writelines(json.dumps(document, separators=(",", ":")) + "\n" for document in documents)
    return path
