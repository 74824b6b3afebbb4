"""How many people a second the directory makes accounts for, and how many sightings it takes, on a file of SQLite that is
synchronised at every commit; it shares the cores with the load."""
from arrive.figures import Figure, at_least, exactly

from . import people, seed
from .directory import Directory
from .load import post

# Who is there before.
PEOPLE = 100_000
# More than any machine takes in a second.
ARRIVALS, BATCHES = 10_000, 150
# First requests that wait, at all gateways. And workers of gateways: each has one batch under way at a time.
WAITING, WORKERS = 64, 8


def title(options):
    return f"rates: SQLite with {PEOPLE:,} accounts, {options.seconds} s each, the load on the same cores"


def measure(options):
    newcomers = range(PEOPLE, PEOPLE + ARRIVALS * options.seconds)
    arrivals = people.write_arrivals(newcomers)
    sightings = people.write_sightings(PEOPLE, BATCHES * options.seconds)
    with Directory(seed=lambda database: seed.fill(database, PEOPLE)) as directory:
        _, before = directory.verify()
        come = post(directory, "/v1/arrivals", arrivals, "application/json", WAITING, options.seconds)
        _, after = directory.verify()
        kind = "application/cloudevents-batch+json"
        seen = post(directory, "/v1/sightings", sightings, kind, WORKERS, options.seconds)
    per_second = lambda told: told["requests"] / told["microseconds"] * 1e6  # noqa: E731
    lost = max(0, come["requests"] - (after - before))
    return [
        Figure("new accounts a second", per_second(come), "{:,.0f}", at_least(2000)),
        Figure("of them without a record in the audit", lost, target=exactly(0)),
        Figure("milliseconds for one, p50", come["p50"] / 1000, "{:.1f}"),
        Figure("milliseconds for one, p99", come["p99"] / 1000, "{:.1f}"),
        Figure("sightings a second", per_second(seen) * people.BATCH, "{:,.0f}", at_least(20_000)),
        Figure("milliseconds for a batch, p50", seen["p50"] / 1000, "{:.1f}"),
        Figure("milliseconds for a batch, p99", seen["p99"] / 1000, "{:.1f}"),
    ]
