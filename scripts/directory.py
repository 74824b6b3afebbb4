#!/usr/bin/env python3
"""What the directory does at the size of a large company, and how soon a departure is heard of: the release build of
`firstsight serve`, and four gateways (Envoy) before it.

    scripts/directory.py                                        everything, about ten minutes
    scripts/directory.py --only rates                           one of them
    scripts/postgres.sh scripts/directory.py --only million     the same on PostgreSQL too
    scripts/directory.py --check                                all of them small, in two minutes

Figures that have a target are compared with it; with --check a missed one ends the program with 1.
"""
import sys

sys.dont_write_bytecode = True

from arrive import tokens  # noqa: E402 (the line above must come first)
from arrive.programme import Programme  # noqa: E402
from measure import MODULE  # noqa: E402
from measure.session import module, run, session  # noqa: E402

MEASURED = ("departures", "rates", "million", "kills")
# How much of it: usually, and with --check.
SIZES = {
    "departing": (1000, 60, "of departures: who departs"),
    "seconds": (10, 2, "of rates, for each"),
    "accounts": (1_000_000, 20_000, "of million"),
    "kills": (100, 5, "of kills"),
    "arrivals": (10_000, 500, "of kills"),
}


def main():
    programme = Programme("keep", MEASURED, __doc__)
    for name, (usual, _, help) in SIZES.items():
        programme.parser.add_argument(f"--{name}", type=int, help=f"{help} ({usual:,})")
    options = programme.read()
    for name, (usual, small, _) in SIZES.items():
        if getattr(options, name) is None:
            setattr(options, name, small if options.check else usual)
    session(lambda: (prepare(options), programme.run(options)))


def prepare(options):
    run([sys.executable, "scripts/setup.py", "envoy", "wrk"])
    run(["cargo", "build", "--quiet", "--release", "--locked", "--package", "firstsight-companion"])
    if "departures" in options.only:
        module("firstsight", MODULE)
        tokens.prepare(options.departing)


if __name__ == "__main__":
    main()
