"""Clients of the gateway: connections that send one request at a time, and notice every answer, also one too many.

>>> connection = Connection()
>>> connection.data_received(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nokHTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n")
>>> connection.data_received(b"ok")
>>> connection.unasked
2
"""
import asyncio
import time
from collections import namedtuple

# Far longer than a gateway may let anybody wait: who has no answer by then will never get one.
PATIENCE = 20

# What came back: the status (`broken` and `none` if there is no answer), the account in the header that the application gets
# (empty if there is none), and when it was there.
Answer = namedtuple("Answer", "status account at")


class Connection(asyncio.Protocol):
    def __init__(self):
        self.transport, self.waiting, self.received = None, None, b""
        self.open, self.unasked = True, 0

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, received):
        at = time.perf_counter()
        self.received += received
        while (answer := self.take(at)) is not None:
            if self.waiting and not self.waiting.done():
                self.waiting.set_result(answer)
            else:
                self.unasked += 1

    def take(self, at):
        """The next whole answer, if there is one."""
        head, found, rest = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(headers.get(b"content-length", 0))
        if len(rest) < length:
            return None
        self.received = rest[length:]
        return Answer(int(head[9:12]), headers.get(b"x-account-id", b"").decode(), at)

    def connection_lost(self, error):
        self.open = False
        if self.waiting and not self.waiting.done():
            self.waiting.set_result(Answer("broken", "", time.perf_counter()))

    async def ask(self, request, patience=PATIENCE):
        """Sends it and waits for the answer; leaves if there is none in time, in seconds."""
        if not self.open:
            return Answer("broken", "", time.perf_counter())
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        try:
            return await asyncio.wait_for(self.waiting, patience)
        except asyncio.TimeoutError:
            self.close()
            return Answer("none", "", time.perf_counter())

    def close(self):
        self.open = False
        self.transport.abort()


async def connect(port):
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


async def connections(port, count):
    made = []
    while len(made) < count:
        # No more at a time than wait to be accepted.
        made += await asyncio.gather(*(connect(port) for _ in range(min(64, count - len(made)))))
    return made


async def each(requests, port, count, asked):
    """Sends all requests over so many connections, each its next one when the last was answered. `asked(answer)` hears of
    each answer."""
    requests = iter(requests)

    async def go_on(connection):
        for request in requests:
            if not connection.open:
                connection = await connect(port)
            asked(await connection.ask(request))
        connection.close()

    await asyncio.gather(*(go_on(connection) for connection in await connections(port, count)))
