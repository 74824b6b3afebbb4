#!/usr/bin/env python3
"""Whether anything is lost, and what it costs, while a filter is updated under load: Envoy with two workers, the filter
delivered as Istio does.

    scripts/updates.py                                          5,000 requests a second, about two and a half minutes
    scripts/updates.py --rate 1000 --seconds 20                 a quick look

Figures that have a target are compared with it; with --check a missed one ends the program with 1.
"""
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from arrive import tokens  # noqa: E402 (the line above must come first)
from arrive.programme import Programme  # noqa: E402
from measure import MODULE  # noqa: E402
from measure.session import module, run, session  # noqa: E402
from renew.updates import PEOPLE  # noqa: E402


def main():
    programme = Programme("renew", ("updates",), __doc__)
    argument = programme.parser.add_argument
    argument("--rate", type=int, default=5000, help="requests a second")
    argument("--seconds", type=int, default=60, help="without updates, and again with them")
    argument("--module", type=Path, help="another build of firstsight")
    options = programme.read()
    options.set = []
    session(lambda: (prepare(), programme.run(options)))


def prepare():
    run([sys.executable, "scripts/setup.py", "envoy", "wrk"])
    module("firstsight", MODULE)
    tokens.prepare(PEOPLE)


if __name__ == "__main__":
    main()
