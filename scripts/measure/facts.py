"""What is measured of firstsight alone, once: its size, its host calls, its start and its memory."""
import gzip
import http.client
import json
import re
import socket
import time
from collections import Counter
from itertools import islice
from statistics import median

from . import MODULE, Failed
from .edge import Edge, listener
from .load import Load
from .tokens import file_of

# The tokens that firstsight's cache holds unless it is told otherwise.
CACHED_TOKENS = 10_000


def facts(arms, ahead):
    """All of them, by name."""
    firstsight = arms["firstsight"]
    return {
        "module": size(),
        "host_calls": {name: host_calls(arms[name]) for name in ("floor", "firstsight")},
        "start": start(firstsight, ahead),
        "memory": memory(firstsight, ahead),
    }


def size():
    content = MODULE.read_bytes()
    return {"bytes": len(content), "gzip_bytes": len(gzip.compress(content))}


def host_calls(arm, requests=50):
    """What one request with a token that is known costs in calls, either way: counted in Envoy's trace of the worker."""
    with Edge([arm], log_levels="wasm:trace") as edge:
        client = Client(edge.ports[arm.name])
        for _ in range(3):
            client.get()
        # The trace is written by the threads as they go; the last lines of a request may come after its answer.
        time.sleep(0.2)
        before = len(edge.log("envoy"))
        for _ in range(requests):
            client.get()
        time.sleep(0.2)
        trace = edge.log("envoy")[before:].splitlines()
    line = re.compile(r"\]\[(\d+)\]\[trace\].*\[(vm->host|host->vm)\] (?:env\.|wasi_snapshot_preview1\.)?(?:proxy_)?(\w+)\(")
    calls = [found.groups() for found in map(line.search, trace) if found]
    # Ticks come on the main thread too, which serves no request.
    worker = next((thread for thread, _, name in calls if name == "on_request_headers"), None)
    counted = Counter((way, name) for thread, way, name in calls if thread == worker)
    per_request = {key: round(count / requests) for key, count in counted.items()}
    return {
        way: {name: count for (other, name), count in per_request.items() if other == way and count}
        for way in ("vm->host", "host->vm")
    }


def start(arm, ahead, times=3):
    """From the moment a running Envoy is given the listener, in milliseconds: until it listens (meanwhile the module is
    compiled, and the worker goes on serving), and until the first answer that needs the token verified, its subject's
    account made and its headers written."""
    measured = [start_once(arm, ahead) for _ in range(times)]
    return {key: median(each[key] for each in measured) for key in measured[0]}


def start_once(arm, ahead):
    with Edge([], ahead, live=True) as edge:
        port = free_port()
        began = time.monotonic()
        edge.deliver(listener(arm, port))
        accepted = served = None
        while served is None:
            if time.monotonic() > began + 30:
                raise Failed(f"{arm.name} does not start:\n{edge.tail()}")
            try:
                client = Client(port)
                accepted = accepted or time.monotonic()
                if client.get() == 200:
                    served = time.monotonic()
            except OSError:
                time.sleep(0.001)
    milliseconds = lambda moment: (moment - began) * 1000  # noqa: E731
    return {"listening_ms": milliseconds(accepted), "serving_ms": milliseconds(served)}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory(arm, ahead):
    """How much Envoy grows while a worker fills its cache of tokens: its resident memory after requests with one token, and
    after as many tokens as the cache holds, each sent twice in a row, as a token that is used once is not worth a place."""
    with Edge([arm], ahead) as edge:
        load = Load(edge)
        load.burst(arm, "working", 1)
        load.burst(arm, "cached", 1)
        before = edge.resident_bytes()
        twice = edge.folder / "twice.txt"
        with open(file_of("rs256")) as tokens:
            twice.write_text("".join(token * 2 for token in islice(tokens, CACHED_TOKENS)))
        sent = position = 0
        while sent < 2 * CACHED_TOKENS:
            told = load.send(arm, twice, 1, position)
            sent, position = sent + told["requests"], told["position"]
        after = edge.resident_bytes()
        return {"tokens": CACHED_TOKENS, "grown_bytes": after - before, "resident_bytes": after}


class Client:
    """One connection, and requests with one token."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.connection.connect()
        self.headers = {"authorization": f"Bearer {file_of('cached').read_text().strip()}"}

    def get(self):
        self.connection.request("GET", "/v1/orders/4711", headers=self.headers)
        response = self.connection.getresponse()
        response.read()
        return response.status
