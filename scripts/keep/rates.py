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
    with Directory(seed=lambda database: seed.fill(database, PEOPLE)) as directory:
        arrivals = people.write_arrivals(directory.folder, newcomers)
        sightings = people.write_sightings(directory.folder, PEOPLE, BATCHES * options.seconds)
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
        *costs("an arrival", come, 1),
        Figure("sightings a second", per_second(seen) * people.BATCH, "{:,.0f}", at_least(20_000)),
        *costs("a batch", seen, people.BATCH),
    ]


def costs(what, told, within):
    yield Figure(f"{what}, p50, ms", told["p50"] / 1000, "{:.1f}")
    yield Figure(f"{what}, p99, ms", told["p99"] / 1000, "{:.1f}")
    # This depends least on what else the machine does.
    each = "of it " if within > 1 else ""
    yield Figure(f"a core's time for each {each}in the directory, µs", told["busy"] / told["requests"] / within * 1e6, "{:.0f}")
