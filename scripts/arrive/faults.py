"""Whether anything is lost while clients leave, the directory resets calls, and it lets others wait for ever."""
import asyncio
import random
import time
from collections import Counter

from . import tokens
from .client import PATIENCE, connect
from .figures import Figure, exactly
from .gateway import Gateway

CLIENTS = 100
DELAY_MS = 20
SHARE = 0.05
POSTURES = ("deny", "allow")
# A call that is never answered is given up after this.
TIMEOUT = "300ms"
# How long after the last request somebody who was let through may still be without an account.
SETTLING_S = 60


def title(options):
    faults = f"{SHARE:.0%} client aborts, {SHARE:.0%} resets, {SHARE:.0%} time-outs"
    return f"faults: {options.sights:,} first sights, {faults}, under each posture"


def measure(options):
    return [figure for posture in POSTURES for figure in under(posture, options)]


def under(posture, options):
    settings = [("provisioning.when_unavailable", posture), ("provisioning.timeout", TIMEOUT)]
    with Gateway(options, settings) as gateway:
        gateway.script(delay_ms=DELAY_MS, resets=SHARE, silences=SHARE)
        sights = Sights(gateway.ports["firstsight"])
        asyncio.run(sights.all(options.sights))
        faults = gateway.counts()
        gateway.script()
        without, other = settled(gateway, sights.served)
    told = sights.told
    stayed = options.sights - told["left"]
    right = told["200 with an account"] + told["200 without one"] + told["503"]
    rows = [
        ("calls", faults["calls"], None),
        ("calls reset by the directory", faults.get("resets", 0), None),
        ("calls never answered", faults.get("silences", 0), None),
        ("clients that left while held", told["left"], None),
        ("200 with an account", told["200 with an account"], None),
        ("200 without one", told["200 without one"], None if posture == "allow" else exactly(0)),
        ("503", told["503"], None if posture == "deny" else exactly(0)),
        ("other answers, or none", stayed - right, exactly(0)),
        ("answered twice", sights.unasked(), exactly(0)),
        ("served, and without an account in the end", without, exactly(0)),
        ("served as another account than the directory's", other, exactly(0)),
    ]
    return [Figure(f"{posture}: {name}", value, target=target) for name, value, target in rows]


class Sights:
    """Clients that each send the first request of one subject after the other."""

    def __init__(self, port):
        self.port, self.random = port, random.Random(7)
        self.told, self.served, self.all_connections = Counter(), {}, []

    async def all(self, count):
        numbered = enumerate(tokens.subjects(count))
        await asyncio.gather(*(self.go_on(numbered) for _ in range(CLIENTS)))
        # An answer too many may come late.
        await asyncio.sleep(1)

    async def go_on(self, numbered):
        connection = await self.connect()
        for number, request in numbered:
            leaves = self.random.random() < SHARE
            patience = self.random.random() * DELAY_MS / 1000 if leaves else PATIENCE
            status, account, _ = await connection.ask(request, patience)
            if status == 200:
                self.served[f"subject-{number}"] = account
                self.told["200 with an account" if account else "200 without one"] += 1
            else:
                self.told["left" if leaves and status == "none" else str(status)] += 1
            if not connection.open:
                connection = await self.connect()

    async def connect(self):
        connection = await connect(self.port)
        self.all_connections.append(connection)
        return connection

    def unasked(self):
        return sum(connection.unasked for connection in self.all_connections)


def settled(gateway, served):
    """How many of those who were served have no account once the directory has been well for a while, and how many were
    served as another account than theirs."""
    deadline = time.monotonic() + SETTLING_S
    while True:
        accounts = gateway.accounts()
        without = sum(subject not in accounts for subject in served)
        if not without or time.monotonic() > deadline:
            other = sum(bool(account) and account != accounts.get(subject) for subject, account in served.items())
            return without, other
        time.sleep(0.5)
