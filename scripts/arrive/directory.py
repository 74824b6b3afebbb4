"""A directory that does as it is told, and counts: a program of its own, so that it does not share Python's lock with the
clients.

`POST /v1/arrivals` makes an account for each subject, after a delay. `POST /script` sets the delay in milliseconds, whether
everybody has an account already, and which share of the calls is reset or never answered; such a call has made the account in
half of the cases, as nobody can tell from outside. `GET /counts` and `GET /accounts` tell what was seen since the last script.
"""
import asyncio
import gc
import json
import random
import socket
import struct
from collections import Counter

SETTINGS = {"delay_ms": 0, "known": False, "resets": 0.0, "silences": 0.0}


class Directory:
    def __init__(self):
        self.accounts = {}
        self.random = random.Random(4)
        self.follow({})

    def follow(self, script):
        self.script = {**SETTINGS, **script}
        self.calls = Counter()
        self.outcomes = Counter()
        self.in_flight = self.most_in_flight = 0

    def counts(self):
        return {
            "calls": self.calls.total(),
            "subjects": len(self.calls),
            "most_calls_for_one": max(self.calls.values(), default=0),
            "most_in_flight": self.most_in_flight,
            **self.outcomes,
        }

    def account(self, subject):
        """The account's id, and whether it was made just now. As long as the usual UUID: gateways remember it."""
        made = subject not in self.accounts and not self.script["known"]
        account = self.accounts.setdefault(subject, f"{len(self.accounts):08x}-0000-7000-8000-000000000000")
        return account, made

    def fate(self):
        lot = self.random.random()
        for fate in ("resets", "silences"):
            if lot < self.script[fate]:
                return fate
            lot -= self.script[fate]
        return "answers"


class Connection(asyncio.Protocol):
    """One call at a time, as HTTP/1.1 has it."""

    def __init__(self, directory):
        self.directory, self.received, self.under_way = directory, b"", False

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        self.concluded()

    def concluded(self):
        if self.under_way:
            self.under_way = False
            self.directory.in_flight -= 1

    def data_received(self, received):
        self.received += received
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found or len(body) < length(head):
            return
        self.received = b""
        method, path, _ = head.split(b"\r\n", 1)[0].split(b" ")
        match method, path:
            case b"POST", b"/v1/arrivals":
                self.arrival(json.loads(body)["subject"]["id"])
            case b"POST", b"/v1/sightings":
                self.answer(200, {})
            case b"POST", b"/script":
                self.directory.follow(json.loads(body))
                self.answer(200, {})
            case b"GET", b"/counts":
                self.answer(200, self.directory.counts())
            case b"GET", b"/accounts":
                self.answer(200, self.directory.accounts)
            case _:
                self.answer(404, {})

    def arrival(self, subject):
        directory = self.directory
        directory.calls[subject] += 1
        directory.in_flight += 1
        directory.most_in_flight = max(directory.most_in_flight, directory.in_flight)
        self.under_way = True
        if delay := directory.script["delay_ms"]:
            asyncio.get_running_loop().call_later(delay / 1000, self.conclude, subject)
        else:
            self.conclude(subject)

    def conclude(self, subject):
        if not self.under_way:
            return
        fate = self.directory.fate()
        self.directory.outcomes[fate] += 1
        if fate == "answers":
            account, made = self.directory.account(subject)
            self.concluded()
            self.answer(201 if made else 200, {"status": "active", "account": {"id": account}})
            return
        if self.directory.random.random() < 0.5:
            self.directory.account(subject)
        if fate == "resets":
            # Without a time to linger, closing is a reset.
            linger = struct.pack("ii", 1, 0)
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.transport.abort()

    def answer(self, status, document):
        body = json.dumps(document).encode()
        head = f"HTTP/1.1 {status} .\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


def length(head):
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


async def main():
    directory = Directory()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(directory), "127.0.0.1", 0, backlog=4096)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    # What is kept is kept to the end; looking through it for garbage would only make the directory stutter.
    gc.disable()
    asyncio.run(main())
