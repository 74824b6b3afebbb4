"""The demo's issuer, `firstsight dev issuer`, as a story has it: whom it knows, and what it is asked to do."""
from .stack import ISSUER
from .web import Unexpected, fetch

AUDIENCE = "orders-api"


class DevIssuer:
    """It gives anybody any token."""

    WAY = "issuer: a token for {}"

    def __init__(self):
        self.moved = set()

    def log_in(self, person):
        """The answer to a login: tokens."""
        claims = {
            "sub": person,
            "aud": AUDIENCE,
            "email": f"{person}@example.test",
            "preferred_username": person,
            "groups": self.groups(person),
        }
        return self.ask("/dev/token", claims).json()

    def seen_as(self, person):
        """Headers that the application sees of somebody's request."""
        return {
            "x-user-id": person,
            "x-user-email": f"{person}@example.test",
            "x-user-groups": ",".join(self.groups(person)),
        }

    def groups(self, person):
        return ["eng"] if person in self.moved else ["eng", "ops"]

    def move(self, person):
        """Somebody's groups change; gives back how."""
        self.moved.add(person)
        return f"{person} leaves ops"

    def rotate(self):
        """It signs with a new key, and withdraws the one of before."""
        self.ask("/dev/rotate")

    def ask(self, path, body=None):
        answer = fetch(f"http://{ISSUER}{path}", "POST", body=body)
        if answer.status >= 300:
            raise Unexpected(f"the issuer answered {answer.status} to {path}", "issuer")
        return answer
