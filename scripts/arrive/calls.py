"""How often the directory is called for somebody who is seen for the first time by many requests at once."""
import asyncio
from collections import Counter

from . import tokens
from .client import connections
from .figures import Figure, exactly
from .gateway import Gateway

# So many subjects at the same time; all their requests fit into `limits.waiting`.
AT_ONCE = 4
# Long enough for all requests of a subject to be there before the answer.
DELAY_MS = 20


def title(options):
    return f"calls: {options.subjects:,} new subjects, {options.parallel} parallel first requests each, two workers"


def measure(options):
    with Gateway(options) as gateway:
        gateway.script(delay_ms=DELAY_MS)
        told, unasked = asyncio.run(everybody(gateway.ports["firstsight"], options))
        counts, accounts = gateway.counts(), gateway.accounts()
    right = sum(told[subject, 200, account] for subject, account in accounts.items())
    return [
        Figure("calls per new subject", counts["calls"] / options.subjects, "{:.3f}", exactly(1.0)),
        Figure("most calls for one subject", counts["most_calls_for_one"], target=exactly(1)),
        Figure("requests", options.subjects * options.parallel),
        Figure("not answered 200 with the account", options.subjects * options.parallel - right, target=exactly(0)),
        Figure("answered twice", unasked, target=exactly(0)),
    ]


async def everybody(port, options):
    """How often each subject was answered with each status and account, and how many answers nobody had asked for."""
    told = Counter()
    numbered = enumerate(tokens.subjects(options.subjects))

    async def go_on(crowd):
        for number, request in numbered:
            for answer in await asyncio.gather(*(connection.ask(request) for connection in crowd)):
                told[f"subject-{number}", answer.status, answer.account] += 1

    crowds = [await connections(port, options.parallel) for _ in range(AT_ONCE)]
    await asyncio.gather(*(go_on(crowd) for crowd in crowds))
    # An answer too many may come late.
    await asyncio.sleep(1)
    return told, sum(connection.unasked for crowd in crowds for connection in crowd)
