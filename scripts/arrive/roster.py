"""How much a gateway grows by remembering many subjects: Envoy's resident memory."""
import asyncio
import time

from measure import Failed

from . import tokens
from .client import each
from .figures import Figure, at_most
from .gateway import Gateway

CONNECTIONS = 64
# Nobody may be refused because the machine is busy with other things: how long anything takes is not measured here.
PATIENT = [("provisioning.timeout", "15s"), ("limits.hold", "15s")]
# After this, sightings are told and what is freed is given back.
IDLE_S = 15
MIB = 2**20


def title(options):
    return f"roster: resident memory of Envoy with {options.roster:,} subjects (limits.subjects), two workers, in MiB"


def measure(options):
    """Three times the same requests. In the first run neither subjects nor tokens are remembered: what Envoy grows by then
    (connections, sightings that wait) it grows by anyway. In the second, subjects are. In the third, verified tokens are
    too, and the memory for them is full of others' beforehand."""
    subjects = [("limits.subjects", options.roster)]
    _, anyway = run(options, [("limits.subjects", 1), ("limits.tokens", 1)])
    before, grown = run(options, [*subjects, ("limits.tokens", 1)])
    before_full, grown_full = run(options, subjects)
    return [
        Figure("grown with nobody remembered", anyway, "{:.1f}"),
        Figure("one token remembered: before", before, "{:.1f}"),
        Figure("one token remembered: grown", grown, "{:.1f}"),
        Figure("one token remembered: grown beyond that", grown - anyway, "{:.1f}", at_most(32, " MiB")),
        Figure("10,000 tokens remembered: before", before_full, "{:.1f}"),
        Figure("10,000 tokens remembered: grown", grown_full, "{:.1f}"),
        Figure("10,000 tokens remembered: grown beyond that", grown_full - anyway, "{:.1f}", at_most(32, " MiB")),
    ]


def run(options, settings):
    """MiB before the subjects came, and by how many more there are afterwards."""
    with Gateway(options, [*PATIENT, *settings]) as gateway:
        port = gateway.ports["firstsight"]
        # A token gets its place when it is verified the second time.
        asyncio.run(send((request for request in tokens.others() for _ in range(2)), port, gateway))
        before = at_rest(gateway)
        asyncio.run(send(tokens.subjects(options.roster), port, gateway))
        return before / MIB, (at_rest(gateway) - before) / MIB


async def send(requests, port, gateway):
    def asked(answer):
        if answer.status != 200:
            raise Failed(f"a request was answered {answer.status}\n{gateway.tail()}")

    await each(requests, port, CONNECTIONS, asked)


def at_rest(gateway):
    time.sleep(IDLE_S)
    return gateway.resident_bytes()
