"""How long questions take of a directory that has a million accounts, on each database that is there."""
import random
import time
from urllib.parse import urlencode

from arrive.figures import Figure, at_most, exactly, percentile
from measure import Failed
from measure.arms import ISSUER

from . import people, seed
from .directory import Directory, server

# So many of each, one after the other, of people anywhere.
ASKED = 1000
MIB = 2**20


def title(options):
    return f"million: {options.accounts:,} accounts; each question {ASKED:,} times, in milliseconds"


def measure(options):
    figures = under("SQLite", None, options)
    if server():
        figures += under("PostgreSQL", server(), options)
    return figures


def under(name, server, options):
    began = time.monotonic()
    with Directory(server, lambda database: seed.fill(database, options.accounts)) as directory:
        seeded = time.monotonic() - began
        figures = [Figure("seconds to fill it", seeded, "{:.0f}"), Figure("seconds to start on it", directory.began_in, "{:.2f}")]
        with directory.asking() as asking:
            for what, path in questions(options.accounts).items():
                busy = directory.busy_seconds()
                figures += asked(what, [timed(asking, path()) for _ in range(ASKED)])
                busy = (directory.busy_seconds() - busy) / ASKED
                # This depends least on what else the machine does.
                figures.append(Figure(f"{what}, a core's time", busy * 1000, "{:.1f}"))
        figures.append(Figure("MiB resident after that", directory.resident_bytes() / MIB, "{:.0f}"))
        figures += snapshot(directory, options.accounts)
        verified, records = directory.verify()
        figures += [Figure("records in the audit", records), Figure("seconds to verify it", verified, "{:.1f}")]
    for figure in figures:
        figure.name = f"{name}: {figure.name}"
    return figures


def questions(count):
    """What is asked, and how to make a path that asks it of whomever."""
    dice = random.Random(6)
    anybody = lambda: dice.randrange(count)  # noqa: E731
    restless = lambda: dice.randrange(50, count, seed.RESTLESS)  # noqa: E731
    # Those who have a name of a SCIM client's, and those who have none; SCIM tells of nobody who departed.
    named, unnamed = (lambda first=first: dice.randrange(first, count, 10) for first in (5, 4))
    scim = lambda said: f"/scim/v2/Users?{urlencode({'filter': said})}"  # noqa: E731
    return {
        "by issuer and id": lambda: f"/v1/accounts?issuer={ISSUER}&id={people.subject(anybody())}",
        "first page": lambda: "/v1/accounts",
        "a page": lambda: f"/v1/accounts?after={people.account_id(anybody())}",
        "first page of an issuer": lambda: f"/v1/accounts?issuer={ISSUER}",
        "first page of who is active": lambda: "/v1/accounts?state=active",
        "first page of who waits": lambda: "/v1/accounts?state=pending",
        "first page of who departed": lambda: "/v1/accounts?state=departed",
        "SCIM by an externalId": lambda: scim(f'externalId eq "{people.external_id(named())}"'),
        "SCIM by issuer and sub": lambda: scim(f'externalId eq "{ISSUER}|{people.subject(unnamed())}"'),
        "SCIM by userName": lambda: scim(f'userName eq "{people.subject(named())}"'),
        "SCIM first page": lambda: "/scim/v2/Users",
        "a whole story": lambda: f"/v1/accounts/{people.account_id(anybody())}",
        f"a story of {seed.CHANGES} changes": lambda: f"/v1/accounts/{people.account_id(restless())}",
    }


def timed(asking, path):
    began = time.perf_counter()
    answer = asking.ask("GET", path)
    took = time.perf_counter() - began
    if not answer.get("accounts", answer.get("Resources", [answer])):
        raise Failed(f"nobody is found by {path}")
    return took * 1000


def asked(what, times):
    yield Figure(f"{what}, p50", percentile(times, 50), "{:.1f}")
    yield Figure(f"{what}, p99", percentile(times, 99), "{:.1f}", at_most(20, " ms"))


def snapshot(directory, count):
    """What a gateway that starts reads of everybody who departed or is disabled, page by page."""
    began, heard, cursor, more = time.perf_counter(), 0, "", True
    with directory.asking() as asking:
        while more:
            page = asking.ask("GET", f"/v1/departures{cursor}")
            heard, more, cursor = heard + len(page["departures"]), page["more"], f"?after={page['cursor']}"
    took = time.perf_counter() - began
    gone = sum(number % seed.DEPARTED == 7 or number % seed.DISABLED == 11 for number in range(count))
    yield Figure("departures in the feed", heard, target=exactly(gone))
    yield Figure("ms to read them all", took * 1000, "{:.0f}")
