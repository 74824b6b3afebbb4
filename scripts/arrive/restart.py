"""How the directory fares when everybody comes back at once to a gateway that was just started and knows nobody."""
import asyncio
import time
from collections import Counter

from . import tokens
from .client import each
from .figures import Figure, at_most, exactly
from .gateway import Gateway

DELAY_MS = 20
# The most calls of one worker under way, unless the configuration says otherwise.
CALLS = 100


def title(options):
    return f"restart: {options.returning:,} known subjects return at once over {options.connections:,} connections"


def measure(options):
    settings = [("limits.calls", options.calls)] if options.calls else []
    told = Counter()
    with Gateway(options, settings) as gateway:
        gateway.script(delay_ms=DELAY_MS, known=True)
        began = time.monotonic()
        subjects = tokens.subjects(options.returning)
        note = lambda answer: told.update([answer.status])  # noqa: E731
        asyncio.run(each(subjects, gateway.ports["firstsight"], options.connections, note))
        took = time.monotonic() - began
        counts = gateway.counts()
    most = (options.calls or CALLS) * Gateway.workers
    return [
        Figure("most calls in flight", counts["most_in_flight"], target=at_most(most)),
        Figure("calls", counts["calls"]),
        Figure("not answered 200", options.returning - told[200], target=exactly(0)),
        *(Figure(f"answered {status}", count) for status, count in told.items() if status != 200),
        Figure("seconds until all were served", took, "{:.1f}"),
        Figure("served per second", options.returning / took, "{:,.0f}"),
    ]
