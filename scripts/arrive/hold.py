"""What a held first request costs beyond the directory's own round trip."""
import asyncio
import json
import time
from itertools import cycle

from measure import Failed

from . import tokens
from .client import connections
from .figures import Figure, at_most, percentile
from .gateway import Gateway

DELAYS_MS = (5, 20, 100)
# First sights one by one, with each delay; and subjects whom many requests at once are sent for.
ALONE = 200
CROWDS = 20
# Connections that they go over in turn, so that both workers have their share.
CONNECTIONS = 8


def title(options):
    return "hold: milliseconds of held first requests; the round trip is through Envoy too, without firstsight"


def measure(options):
    with Gateway(options) as gateway:
        return asyncio.run(every_delay(gateway, options))


def needed():
    return len(DELAYS_MS) * (2 * CONNECTIONS + ALONE + CROWDS)


async def every_delay(gateway, options):
    figures, subjects = [], tokens.subjects(needed())
    for delay in DELAYS_MS:
        gateway.script(delay_ms=delay)
        direct, alone, crowd, known = await with_delay(gateway, options, subjects)
        for percent, target in ((50, at_most(2, " ms")), (99, None)):
            trip = percentile(direct, percent)
            beyond = {what: percentile(times, percent) - trip for what, times in (("one", alone), ("many", crowd))}
            name = f"directory {delay} ms, p{percent}: "
            figures += [
                Figure(f"{name}round trip", trip, "{:.2f}"),
                Figure(f"{name}one request, beyond the round trip", beyond["one"], "{:.2f}", target),
                Figure(f"{name}{options.parallel} at once, beyond the round trip", beyond["many"], "{:.2f}"),
                Figure(f"{name}{options.parallel} at once, when they are known", percentile(known, percent), "{:.2f}"),
            ]
    return figures


async def with_delay(gateway, options, subjects):
    """Milliseconds: of calls straight to the directory, of first requests alone, of many at once, and of the same when
    nothing is to be asked any more, which is what so many requests cost by themselves. The first two take turns, so that
    whatever else the machine does falls on both, and so do the last two."""
    straight = cycle(await connections(gateway.ports["direct"], CONNECTIONS))
    held = cycle(await connections(gateway.ports["firstsight"], CONNECTIONS))
    crowd = await connections(gateway.ports["firstsight"], options.parallel)
    # Envoy's connections to the directory are there once both workers have used them.
    for _ in range(2 * CONNECTIONS):
        await timed(next(straight), call())
        await timed(next(held), next(subjects))
    direct, alone, together, known = [], [], [], []
    for _ in range(ALONE):
        direct.append(await timed(next(straight), call()))
        alone.append(await timed(next(held), next(subjects)))
    for _ in range(CROWDS):
        request = next(subjects)
        for times in (together, known):
            times += await asyncio.gather(*(timed(connection, request) for connection in crowd))
    return direct, alone, together, known


async def timed(connection, request):
    began = time.perf_counter()
    answer = await connection.ask(request)
    if answer.status not in (200, 201):
        raise Failed(f"a request was answered {answer.status}")
    return (answer.at - began) * 1000


def call():
    """About what a gateway sends."""
    subject = {"issuer": "https://idp.example.com/realms/acme", "id": "direct", "key": "0" * 64}
    attributes = {"emails": "subject@example.com", "userName": "subject"}
    body = json.dumps({"subject": subject, "kind": "person", "cause": "arrival", "attributes": attributes, "mapping": "0" * 64})
    return f"POST /v1/arrivals HTTP/1.1\r\nhost: directory\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
