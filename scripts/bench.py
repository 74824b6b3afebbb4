#!/usr/bin/env python3
"""The benchmark: what firstsight costs, side by side with Envoy's jwt_authn and with filters that do less.

    scripts/bench.py                                            everything, about five minutes
    scripts/bench.py --modes cached --arms floor,firstsight     a quick look, with what is built already (make wasm)
    scripts/bench.py --module new=FILE --modes rs256            another build of the module beside dist/firstsight.wasm

One Envoy with one worker, on one core, has a listener for each arm; the load comes from the other core. In each round
every arm is measured once, one after the other, so that whatever else the machine does falls on all of them.
"""
import argparse
import json
import sys
import time

sys.dont_write_bytecode = True

from measure import BENCH, DIST, MODULE, PROGRAMS, Failed, tokens  # noqa: E402 (the line above must come first)
from measure.arms import arms  # noqa: E402
from measure.edge import Edge  # noqa: E402
from measure.load import Load  # noqa: E402
from measure.facts import facts  # noqa: E402
from measure.plot import plot  # noqa: E402
from measure.report import legend, of_firstsight, tables, where  # noqa: E402
from measure.session import module, run, session  # noqa: E402
from measure.summary import circumstances, summary  # noqa: E402
from measure.tokens import MODES  # noqa: E402
from show.screen import doing, say  # noqa: E402


def main():
    options = read()
    session(lambda: bench(options))


def bench(options):
    started = time.monotonic()
    prepare(options)
    known = arms([module.split("=", 1) for module in options.module])
    chosen = choose(options, known)
    document = {"circumstances": circumstances(options), "modes": summary(measure(chosen, options))}
    if options.whole:
        doing("firstsight alone: size, host calls, start, memory")
        document["firstsight"] = facts(known, options.ahead)
    say(tables(document["modes"]))
    say(legend(document["modes"]))
    if options.whole:
        say(of_firstsight(document["firstsight"]))
    say(where(document["circumstances"]))
    if options.whole:
        DIST.mkdir(exist_ok=True)
        (DIST / "bench.json").write_text(json.dumps(document, indent=2) + "\n")
        (DIST / "bench.svg").write_text(plot(document["modes"], document["circumstances"]))
        say(f"\nIn {time.monotonic() - started:.0f} s. The figures are in dist/bench.json, and as a picture in dist/bench.svg.")


def read():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: [word for word in text.split(",") if word]  # noqa: E731
    parser.add_argument("--arms", type=words, metavar="A,B", help="only these, in every mode asked for")
    parser.add_argument("--modes", type=words, metavar="A,B", default=list(MODES), help=f"of {', '.join(MODES)}")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--module", action="append", default=[], metavar="NAME=FILE", help="another build of firstsight")
    parser.add_argument("--ahead", action="store_true", help="ahead of whatever else runs on this machine (needs root)")
    options = parser.parse_args()
    # What is looked at quickly leaves the last whole run's files alone.
    options.whole = not (options.arms or options.module) and options.modes == list(MODES)
    if unknown := [mode for mode in options.modes if mode not in MODES]:
        parser.error(f"there is no mode {', '.join(unknown)}; there is {', '.join(MODES)}")
    return options


def prepare(options):
    """Makes what is missing. A whole run looks whether what is there is up to date, a quick look does not."""
    run([sys.executable, "scripts/setup.py", "envoy", "wrk"])
    if options.whole or not (PROGRAMS / "firstsight").exists():
        run(["cargo", "build", "--quiet", "--locked", "--workspace", "--bins"])
    for name in ("empty", "floor"):
        module(f"firstsight-bench-{name}", BENCH / f"{name}.wasm", always=options.whole)
    module("firstsight", MODULE)
    tokens.prepare()


def choose(options, known):
    """The arms of each mode."""
    if unknown := [name for name in options.arms or [] if name not in known]:
        raise Failed(f"there is no arm {', '.join(unknown)}; there is {', '.join(known)}")
    wanted = options.arms or list(known)
    usual = lambda arm, mode: options.arms or mode in arm.modes  # noqa: E731
    return {mode: [known[name] for name in wanted if usual(known[name], mode)] for mode in options.modes}


def measure(chosen, options):
    """Mode by mode, round by round: {mode: {arm: [burst, …]}}."""
    results = {}
    every = {arm.name: arm for arms in chosen.values() for arm in arms}
    with Edge(every.values(), options.ahead) as edge:
        load = Load(edge)
        doing("warming up")
        for arm in every.values():
            load.burst(arm, "working", 1)
        for mode, those in chosen.items():
            bursts = results[mode] = {arm.name: [] for arm in those}
            doing(f"{mode}: {options.rounds} rounds of {', '.join(bursts)}")
            for _ in range(options.rounds):
                for arm in those:
                    bursts[arm.name].append(load.burst(arm, mode, options.seconds))
    return results


if __name__ == "__main__":
    main()
