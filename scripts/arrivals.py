#!/usr/bin/env python3
"""What first sights cost, and whether any is lost: Envoy with two workers before a directory that does as it is told.

    scripts/arrivals.py                                         everything, about ten minutes
    scripts/arrivals.py --only calls,faults --subjects 50 --sights 300      a quick look
    scripts/arrivals.py --only restart --calls 50               with limits.calls set to 50
    scripts/arrivals.py --set 'provisioning.refresh="1h"'       any other setting of the plugin, as JSON

Figures that have a target are compared with it; with --check a missed one ends the program with 1.
"""
import argparse
import importlib
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from arrive import tokens  # noqa: E402 (the line above must come first)
from arrive.programme import Programme  # noqa: E402
from measure import MODULE  # noqa: E402
from measure.session import module, run, session  # noqa: E402

MEASURED = ("calls", "hold", "roster", "faults", "restart")


def main():
    programme = Programme("arrive", MEASURED, __doc__)
    options = read(programme)
    session(lambda: (prepare(options), programme.run(options)))


def read(programme):
    argument = programme.parser.add_argument
    argument("--subjects", type=int, default=1000, help="of calls")
    argument("--parallel", type=int, default=64, help="first requests of each, of calls and hold")
    argument("--roster", type=int, default=200_000, help="subjects of roster")
    argument("--sights", type=int, default=10_000, help="of faults")
    argument("--returning", type=int, default=100_000, help="subjects of restart")
    argument("--connections", type=int, default=1000, help="of restart")
    argument("--calls", type=int, help="limits.calls, of restart")
    argument("--set", type=setting, action="append", default=[], metavar="PATH=JSON", help="of the configuration")
    argument("--module", type=Path, help="another build of firstsight")
    return programme.read()


def setting(text):
    path, _, value = text.partition("=")
    try:
        return path, json.loads(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"`{text}` is no PATH=JSON") from None


def prepare(options):
    run([sys.executable, "scripts/setup.py", "envoy"])
    module("firstsight", MODULE)
    # Every measurement starts with a gateway and a directory that know nobody, so all may use the same tokens.
    needed = {
        "calls": options.subjects,
        "hold": importlib.import_module("arrive.hold").needed(),
        "roster": options.roster,
        "faults": options.sights,
        "restart": options.returning,
    }
    tokens.prepare(max(needed[name] for name in options.only))


if __name__ == "__main__":
    main()
