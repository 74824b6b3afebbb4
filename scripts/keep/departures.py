"""How long after a departure the last of several gateways refuses whoever departed, at every worker; also while the directory,
and then one of the gateways, is started anew."""
import asyncio
import time
from contextlib import ExitStack

from arrive import tokens
from arrive.client import connect
from arrive.figures import Figure, at_most, exactly, percentile
from measure import Failed

from .directory import AUTHORIZATION, Directory
from .gateway import Gateway

GATEWAYS = 4
# Departures a second, and how many are waited for at a time.
PACE, LANES = 20, 8
# How often a worker is asked whether it refuses; what is measured is longer by half of it than it was.
GLANCE_S = 0.025
# How long whoever departed may still be let in before the measurement gives up.
PATIENCE_S = 60


def title(options):
    return f"departures: {options.departing:,} at {PACE} a second, {GATEWAYS} gateways of {Gateway.workers} workers each"


def measure(options):
    return [*under("quiet", options, restarts=False), *under("with restarts", options, restarts=True)]


def under(name, options, restarts):
    with ExitStack() as running:
        directory = running.enter_context(Directory())
        gateways = [running.enter_context(Gateway(number, directory.directory_port)) for number in range(GATEWAYS)]
        watch = Watch(directory, gateways, list(tokens.subjects(options.departing)))
        asyncio.run(watch.all(restarts))
    last, told = [[shown * 1000 for shown in times] for times in (watch.last, watch.told)]
    away = [Figure(f"{name}: {what} was away, s", seconds, "{:.1f}") for what, seconds in watch.away.items()]
    return [
        *away,
        Figure(f"{name}: the directory's answer, p50, ms", percentile(told, 50), "{:.0f}"),
        Figure(f"{name}: the directory's answer, p99, ms", percentile(told, 99), "{:.0f}"),
        Figure(f"{name}: refused by all, p50, ms", percentile(last, 50), "{:.0f}"),
        Figure(f"{name}: refused by all, p99, ms", percentile(last, 99), "{:.0f}", at_most(1000, " ms")),
        Figure(f"{name}: refused by all, longest, ms", max(last), "{:.0f}"),
        Figure(f"{name}: let in after a refusal", watch.let_in_again, target=exactly(0)),
        Figure(f"{name}: let in at the end", watch.let_in_at_the_end, target=exactly(0)),
    ]


class Watch:
    """Departures one after the other, and requests with the tokens of those who departed at every worker until it refuses.
    A lane is what follows one departure at a time: a connection to each worker of each gateway."""

    def __init__(self, directory, gateways, requests):
        self.directory, self.gateways, self.requests = directory, gateways, requests
        # Seconds from the departure until the last worker refused, and until the directory had answered.
        self.last, self.told = [], []
        self.let_in_again = self.let_in_at_the_end = 0
        self.away = {}
        self.done = set()

    async def all(self, restarts):
        self.lanes = [[None] * GATEWAYS for _ in range(LANES)]
        for number in range(GATEWAYS):
            await self.open(number)
        self.accounts = await self.known()
        numbered = enumerate(self.requests)
        self.began = time.perf_counter()
        lanes = [asyncio.create_task(self.go_on(lane, numbered)) for lane in self.lanes]
        if restarts:
            await self.restart()
        await asyncio.gather(*lanes)
        answers = await self.ask_all([connection for each in self.lanes[0] for connection in each], self.requests)
        self.let_in_at_the_end = sum(answer.status != 403 for answer in answers)

    async def open(self, number):
        """Every lane's connections to a gateway, one for each of its workers."""
        port = self.gateways[number].port
        made = [[await connect(port) for _ in range(Gateway.workers)] for _ in range(LANES)]
        for lane, connections in zip(self.lanes, made):
            lane[number] = connections

    async def known(self):
        """Everybody's account, once every worker knows everybody."""
        workers = [connection for each in self.lanes[0] for connection in each]
        answers = await self.ask_all(workers, self.requests)
        if unknown := [answer.status for answer in answers if answer.status != 200 or not answer.account]:
            raise Failed(f"{len(unknown)} of {len(answers)} first requests were answered {set(unknown)}")
        return [answer.account for answer in answers[: len(self.requests)]]

    async def ask_all(self, connections, requests):
        """All requests over each of the connections; the answers, connection by connection."""

        async def one(connection):
            return [await connection.ask(request) for request in requests]

        return [answer for answers in await asyncio.gather(*map(one, connections)) for answer in answers]

    async def go_on(self, lane, numbered):
        for number, request in numbered:
            await asyncio.sleep(self.began + number / PACE - time.perf_counter())
            began = time.perf_counter()
            await self.depart(self.accounts[number])
            self.told.append(time.perf_counter() - began)
            places = [(gateway, worker) for gateway in range(GATEWAYS) for worker in range(Gateway.workers)]
            times = await asyncio.gather(*(self.refused(lane, *place, request) for place in places))
            self.last.append(max(times) - began)
            self.done.add(number)

    async def depart(self, account):
        """Tells the directory until it has answered."""
        body = b'{"reason": "left the company"}'
        head = f"POST /v1/accounts/{account}/depart HTTP/1.1\r\nhost: directory\r\ncontent-length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in AUTHORIZATION.items())
        while True:
            try:
                connection = await connect(self.directory.directory_port)
            except OSError:
                await asyncio.sleep(GLANCE_S)
                continue
            answer = await connection.ask(head.encode() + b"\r\n" + body)
            connection.close()
            if answer.status == 200:
                return
            if answer.status not in ("broken", 503):
                raise Failed(f"a departure was answered {answer.status}")

    async def refused(self, lane, gateway, worker, request):
        """When that worker let the subject in no more: with its first refusal, or when it was gone, unless it let the
        subject in after that."""
        until, shut = time.perf_counter() + PATIENCE_S, None
        while time.perf_counter() < until:
            connection = lane[gateway][worker]
            answer = await connection.ask(request)
            if answer.status == 200:
                self.let_in_again += shut is not None
                shut = None
            else:
                shut = shut or answer.at
            if answer.status == 403:
                return shut
            await asyncio.sleep(GLANCE_S)
        raise Failed(f"somebody who departed was not refused within {PATIENCE_S} s: {answer.status}")

    async def restart(self):
        """The directory after a third of the departures, one of the gateways after two."""
        await self.reached(1 / 3)
        self.away["the directory"] = await seconds(self.directory.restart)
        await self.reached(2 / 3)
        self.away["a gateway"] = await seconds(self.gateways[1].restart)
        # Its workers are to know everybody again before whoever departs is followed there.
        with_workers = [await connect(self.gateways[1].port) for _ in range(Gateway.workers)]
        staying = [request for number, request in enumerate(self.requests) if number not in self.done]
        await self.ask_all(with_workers, staying)
        for connection in with_workers:
            connection.close()
        await self.open(1)

    async def reached(self, share):
        while len(self.done) < share * len(self.requests):
            await asyncio.sleep(GLANCE_S)


async def seconds(work):
    began = time.perf_counter()
    await asyncio.to_thread(work)
    return time.perf_counter() - began
