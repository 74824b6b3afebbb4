"""Requests with tokens of as many subjects as anybody wants to see for the first time."""
from itertools import islice

from measure import BENCH
from measure.tokens import make

FOLDER = BENCH / "subjects"


def prepare(count):
    make("subjects", FOLDER, count)


def subjects(count):
    """Requests of that many subjects. The subject of the one at place N is `subject-N`."""
    return requests("subjects.txt", count)


def others():
    """Requests with 10,000 tokens of a hundred people, who are none of the subjects."""
    return requests("others.txt", None)


def requests(name, count):
    with open(FOLDER / name, "rb") as tokens:
        for token in islice(tokens, count):
            yield b"GET /v1/orders HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer " + token.strip() + b"\r\n\r\n"


def key_set():
    return (FOLDER / "jwks.json").read_text()
