"""The gateway: Envoy with two workers and one listener that leads through firstsight, and another straight to the directory."""
import http.client
import json
import sys
from pathlib import Path

from measure import MODULE
from measure.arms import Arm, firstsight, wasm
from measure.edge import Edge

from . import tokens

# The application's headers, as whoever sent the request may see them.
SHOWN = {"header": {"key": "x-account-id", "value": "%REQ(x-account-id)%"}}
ECHO = {"direct_response": {"status": 200}, "response_headers_to_add": [SHOWN]}
# Envoy's own limits are far away: the gateway's are what counts.
UNLIMITED = {name: 1_000_000 for name in ("max_connections", "max_pending_requests", "max_requests", "max_retries")}


class Gateway(Edge):
    workers = 2

    def __init__(self, options, settings=()):
        """`settings`: (dotted path, value) pairs that differ from what a user has; the command line's come last."""
        configuration = firstsight(tokens.key_set())
        for path, value in [*settings, *options.set]:
            put(configuration, path.split("."), value)
        module = wasm("firstsight", options.module or MODULE, configuration)
        super().__init__([
            Arm("firstsight", "held", module, route=ECHO),
            Arm("direct", "straight to the directory", None, route={"route": {"cluster": "directory", "timeout": "0s"}}),
        ])

    def directory(self):
        return [sys.executable, Path(__file__).with_name("directory.py")]

    def bootstrap(self, directory_port):
        document = super().bootstrap(directory_port)
        for cluster in document["static_resources"]["clusters"]:
            cluster["circuit_breakers"] = {"thresholds": [UNLIMITED]}
        return document

    def script(self, **settings):
        """What the directory does from now on; its counters start anew."""
        self.tell("POST", "/script", settings)

    def counts(self):
        return self.tell("GET", "/counts")

    def accounts(self):
        """Subject → account."""
        return self.tell("GET", "/accounts")

    def tell(self, method, path, document=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.directory_port, timeout=30)
        try:
            connection.request(method, path, json.dumps(document).encode() if document is not None else None)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def put(document, path, value):
    for name in path[:-1]:
        document = document.setdefault(name, {})
    document[path[-1]] = value
