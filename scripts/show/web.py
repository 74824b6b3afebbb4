"""Plain HTTP requests to loopback, timed, and what came back."""
import http.client
import json
import time
from urllib.parse import urlsplit


class Answer:
    """A response: status, headers by lower-case name, body, and how long it took."""

    def __init__(self, status, headers, body, milliseconds):
        self.status, self.body, self.milliseconds = status, body, milliseconds
        self.lines = [(name.lower(), value) for name, value in headers]
        self.headers = dict(self.lines)

    def all(self, name):
        """Every value of a header that may come more than once."""
        return [value for one, value in self.lines if one == name]

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise Unexpected(f"the answer {self.status} is not JSON: {self.body[:200]!r}") from None

    def slug(self):
        """The reason of a refusal: the last word of its RFC 9457 problem type."""
        if not self.headers.get("content-type", "").startswith("application/problem+json"):
            return None
        return self.json().get("type", "").rpartition(":")[2]


class Unexpected(Exception):
    """Something did not behave as the story says; `log` names the process whose log may tell why."""

    def __init__(self, message, log=None):
        super().__init__(message)
        self.log = log


class Client:
    """One keep-alive connection, hence one worker of a proxy."""

    def __init__(self, address, timeout=15):
        self.connection = http.client.HTTPConnection(address, timeout=timeout)

    def send(self, method, path, headers=None, body=None):
        headers = dict(headers or {})
        if isinstance(body, dict):
            headers["content-type"], body = "application/json", json.dumps(body)
        started = time.monotonic()
        try:
            self.connection.request(method, path, body=body, headers=headers)
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        return Answer(response.status, response.getheaders(), content, (time.monotonic() - started) * 1000)


def fetch(url, method="GET", headers=None, body=None, timeout=5):
    """One request on a connection of its own."""
    parts = urlsplit(url)
    client = Client(parts.netloc, timeout)
    try:
        return client.send(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers, body)
    finally:
        client.connection.close()


def wait_until(probe, seconds, what, log=None):
    """Asks until `probe` gives something true, and gives that back."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            result = probe()
        except (OSError, http.client.HTTPException):
            result = None
        if result:
            return result
        if time.monotonic() > deadline:
            raise Unexpected(f"waited {seconds:.0f} s in vain: {what}", log)
        time.sleep(0.05)
