"""How the story asks and looks: requests through the edge, and evidence from the application, the directory and Envoy."""
import json
import re
import time
from datetime import datetime, timezone

from .screen import Screen, short
from .stack import ADMIN, DIRECTORY, EDGE, ISSUER
from .web import Client, Unexpected, fetch

AUDIENCE = "orders-api"
OURS = ("x-user-", "x-account-")


class Witness:
    """One connection to the edge, a token per person, and a screen to report to."""

    def __init__(self, stack):
        self.stack, self.screen = stack, Screen()
        # One connection stays with one of Envoy's workers, so "known" means the same thing in every step.
        self.edge = Client(EDGE)
        self.tokens = {}

    def check(self, holds, otherwise, log=None):
        if not holds:
            raise Unexpected(otherwise, log)

    # Asking.

    def token(self, person):
        if person not in self.tokens:
            claims = {
                "sub": person,
                "aud": AUDIENCE,
                "email": email(person),
                "preferred_username": person,
                "groups": ["eng", "ops"],
            }
            answer = fetch(f"http://{ISSUER}/dev/token", "POST", body=claims)
            self.check(answer.status < 300, f"the issuer answered {answer.status} to /dev/token", "issuer")
            self.tokens[person] = answer.json()["access_token"]
        return self.tokens[person]

    def ask(self, token, headers=None, note=None):
        shown = ["no authorization" if token is None else f"authorization: Bearer {short(token)}"]
        shown += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.screen.sent(f"GET /orders   {', '.join(shown)}" + (f"   ({note})" if note else ""))
        return self.send(token, headers)

    def send(self, token, headers=None):
        credentials = {} if token is None else {"authorization": f"Bearer {token}"}
        return self.edge.send("GET", "/orders", {**credentials, **(headers or {})})

    def let_in(self, person):
        answer = self.send(self.token(person))
        return answer if answer.status == 200 else None

    # What came back.

    def forwarded(self, answer, person):
        """Shows an answer of the application; gives back the headers that it saw."""
        self.check(answer.status == 200, f"the answer is {answer.status} {answer.slug() or ''}, not 200", "envoy")
        seen = headers_seen(answer)
        self.screen.got(answer, [f"the application saw {n}: {seen[n]}" for n in sorted(seen) if n.startswith(OURS)])
        for name, value in (("x-user-id", person), ("x-user-email", email(person)), ("x-user-groups", "eng,ops")):
            self.check(seen.get(name) == value, f"the application saw {name}: {seen.get(name)}, not {value}", "envoy")
        self.check(seen.get("x-account-id"), "the application saw no x-account-id", "envoy")
        return seen

    def refused(self, answer, status, slug):
        """Shows a refusal."""
        facts = [f"{name}: {answer.headers[name]}" for name in ("www-authenticate", "retry-after") if name in answer.headers]
        problem = answer.json() if answer.slug() else {}
        facts += [f"{problem.get('type')}: {problem.get('detail') or problem.get('title')}"] if problem else []
        self.screen.got(answer, facts)
        self.check(answer.status == status, f"the answer is {answer.status}, not {status}", "envoy")
        self.check(answer.slug() == slug, f"the reason is {answer.slug()}, not {slug}", "envoy")

    # What the directory and Envoy know.

    def accounts(self):
        answer = fetch(f"http://{DIRECTORY}/v1/accounts", headers={"authorization": f"Bearer {self.stack.token}"})
        self.check(answer.status == 200, f"the directory answered {answer.status} to GET /v1/accounts", "directory")
        return answer.json()["accounts"]

    def depart(self, person, reason):
        """Has the directory close somebody's account."""
        url = f"http://{DIRECTORY}/v1/accounts/{self.account(person)['id']}/depart"
        answer = fetch(url, "POST", {"authorization": f"Bearer {self.stack.token}"}, {"reason": reason})
        self.check(answer.status == 200, f"the directory answered {answer.status} to a departure", "directory")

    def account(self, person):
        """The account of the subject that the demo's issuer calls `person`."""
        found = [account for account in self.accounts() if account["subject"]["id"] == person]
        self.check(len(found) < 2, f"{person} has {len(found)} accounts", "directory")
        return found[0] if found else None

    def last_seen(self, person):
        account = self.account(person)
        return account and account["last_seen"]

    def sighted_after(self, person, since):
        seen = self.last_seen(person)
        return seen if seen and instant(seen) > instant(since) else None

    def stat(self, name):
        text = fetch(f"http://{ADMIN}/stats?filter=^{re.escape(name)}$").body.decode()
        return int(text.partition(":")[2] or 0)

    def arrivals(self):
        """How often the module has had an answer to an arrival, whatever it was."""
        text = fetch(f"http://{ADMIN}/stats?filter=firstsight.arrivals").body.decode()
        return sum(int(line.rpartition(":")[2]) for line in text.splitlines())


def email(person):
    return f"{person}@example.test"


def headers_seen(answer):
    """The request headers that the application echoes; a header that came twice counts as no value of ours."""
    seen = {}
    for name, value in answer.json()["headers"]:
        seen[name] = value if name not in seen else f"{seen[name]} and {value}"
    return seen


def moment():
    """Now; returns a little later, so that what happens next is later even in milliseconds."""
    now = datetime.now(timezone.utc).isoformat()
    time.sleep(0.002)
    return now


def instant(text):
    """An RFC 3339 time as a number; Python 3.9 reads neither `Z` nor more than six digits of a second."""
    whole, fraction = re.fullmatch(r"([^.Z+]+)(\.\d+)?(?:Z|\+00:00)", text).groups()
    return datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp() + float(fraction or 0)
