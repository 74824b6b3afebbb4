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
import resource
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from arrive import tokens  # noqa: E402 (the line above must come first)
from arrive.figures import table  # noqa: E402
from measure import MODULE  # noqa: E402
from measure.session import module, run, session  # noqa: E402
from measure.summary import machine  # noqa: E402
from show.screen import dim, doing, say  # noqa: E402

MEASURED = ("calls", "hold", "roster", "faults", "restart")


def main():
    options = read()
    session(lambda: arrivals(options))


def arrivals(options):
    prepare(options)
    figures = {}
    for name in options.only:
        measured = importlib.import_module(f"arrive.{name}")
        doing(measured.title(options))
        figures[name] = measured.measure(options)
        say("\n".join(table(measured.title(options), figures[name])) + "\n")
    circumstances = machine()
    say(dim("{date}, {commit}, Envoy {envoy}, {cpu}, {kernel}".format(**circumstances)))
    if options.json:
        document = {name: [figure.document() for figure in those] for name, those in figures.items()}
        options.json.write_text(json.dumps({"circumstances": circumstances, "figures": document}, indent=2) + "\n")
    if options.check and any(figure.met is False for those in figures.values() for figure in those):
        sys.exit(1)


def read():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: [word for word in text.split(",") if word]  # noqa: E731
    parser.add_argument("--only", type=words, metavar="A,B", default=list(MEASURED), help=f"of {', '.join(MEASURED)}")
    parser.add_argument("--subjects", type=int, default=1000, help="of calls")
    parser.add_argument("--parallel", type=int, default=64, help="first requests of each, of calls and hold")
    parser.add_argument("--roster", type=int, default=200_000, help="subjects of roster")
    parser.add_argument("--sights", type=int, default=10_000, help="of faults")
    parser.add_argument("--returning", type=int, default=100_000, help="subjects of restart")
    parser.add_argument("--connections", type=int, default=1000, help="of restart")
    parser.add_argument("--calls", type=int, help="limits.calls, of restart")
    parser.add_argument("--set", type=setting, action="append", default=[], metavar="PATH=JSON", help="of the configuration")
    parser.add_argument("--module", type=Path, help="another build of firstsight")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--check", action="store_true", help="fail if a target is missed")
    options = parser.parse_args()
    if unknown := [name for name in options.only if name not in MEASURED]:
        parser.error(f"nothing called {', '.join(unknown)} is measured; there is {', '.join(MEASURED)}")
    return options


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
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
