"""What updates cost whoever is served meanwhile: a steady load without any, and the same with one every second, every tenth of
which swaps the module."""
import os
import threading
import time
from itertools import islice

from arrive import tokens
from arrive.figures import Figure, at_least, at_most, exactly
from measure import ROOT
from measure.load import BROKEN, PROGRAM, wrk

from .gateway import Delivered

SCRIPT = ROOT / "bench" / "paced.lua"
CONNECTIONS = 64
PEOPLE = 500
# Every so many seconds the module is another one.
SWAP = 10
# A generator that sends less than this share of what it should lacks a core, and the figures are worth nothing.
ENOUGH = 0.99


def title(options):
    return f"updates: {options.rate:,} requests a second of {PEOPLE} people, {options.seconds} s without and {options.seconds} s with updates"


def measure(options):
    with Delivered(options) as gateway:
        load = Load(gateway, options)
        # Everybody is known afterwards, at both workers.
        load.send(2)
        calm = load.send(options.seconds)
        renewal = Renewal(gateway)
        renewal.start()
        try:
            busy = load.send(options.seconds)
        finally:
            renewal.end()
        calls = gateway.counts()["calls"]
    return [
        Figure("requests a second, without updates", per_second(calm), "{:,.0f}", at_least(int(options.rate * ENOUGH))),
        Figure("requests a second, with updates", per_second(busy), "{:,.0f}", at_least(int(options.rate * ENOUGH))),
        Figure("updates of the configuration", renewal.updates, target=at_least(options.seconds * 4 // 5 - 1)),
        Figure("swaps of the module", renewal.swaps, target=at_least(options.seconds // SWAP - 1)),
        Figure("an update is taken after, at most, ms", renewal.longest * 1000, "{:,.0f}"),
        Figure("requests, without updates", calm["requests"]),
        Figure("requests, with updates", busy["requests"]),
        Figure("of them failed", failed(busy), target=exactly(0)),
        Figure("failed without updates", failed(calm), target=exactly(0)),
        *(Figure(f"{of}, {when} updates, ms", told[of] / 1000, "{:.2f}")
          for of in ("p50", "p99") for when, told in (("without", calm), ("with", busy))),
        Figure("calls per person, in all", calls / PEOPLE, "{:.3f}", at_most(1)),
        Figure("load average of a minute", os.getloadavg()[0], "{:.2f}"),
    ]


class Load:
    """People's requests, each person's in turn, at a steady rate over connections that are kept."""

    def __init__(self, gateway, options):
        self.gateway, self.rate, self.position = gateway, options.rate, 0
        self.file = gateway.folder / "people.txt"
        with open(tokens.FOLDER / "subjects.txt") as lines:
            self.file.write_text("".join(islice(lines, PEOPLE)))

    def send(self, seconds):
        url = f"http://127.0.0.1:{self.gateway.ports['firstsight']}"
        command = [PROGRAM, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-s", SCRIPT, url]
        command += ["--", self.file, self.position, self.rate]
        told = wrk([str(part) for part in command], self.gateway.tail)
        self.position = told["position"]
        return told


class Renewal(threading.Thread):
    """Updates, one every second, until they are to end. What is late is left out."""

    def __init__(self, gateway):
        super().__init__()
        self.gateway, self.over, self.problem = gateway, threading.Event(), None
        self.updates = self.swaps = 0
        self.longest = 0.0

    def run(self):
        began, second = time.monotonic(), 0
        try:
            while not self.over.wait(max(0.0, began + second - time.monotonic())):
                self.renew(second)
                second = max(second + 1, int(time.monotonic() - began) + 1)
        except Exception as problem:  # Told by whoever ends it.
            self.problem = problem

    def renew(self, second):
        began = time.monotonic()
        if (self.updates + self.swaps) % SWAP == SWAP - 1:
            self.gateway.swap()
            self.swaps += 1
        else:
            self.gateway.update()
            self.updates += 1
        self.longest = max(self.longest, time.monotonic() - began)

    def end(self):
        self.over.set()
        self.join()
        if self.problem:
            raise self.problem


def failed(told):
    """Refused, or without an answer."""
    assert len(told["broken"]) == len(BROKEN)
    return told["refused"] + sum(told["broken"])


def per_second(told):
    return told["requests"] / told["microseconds"] * 1e6
