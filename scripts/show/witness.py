"""How a story asks and looks: requests through the edge, and evidence from the application, the directory and Envoy.

It is told of either stack, the demo's processes or containers. A stack stops, starts and restarts, and reads Envoy's counters;
an issuer logs people in, says what the application is to see of them, moves them, and rotates its keys.
"""
import base64
import json
import re
import time
from datetime import datetime, timezone

from .screen import Screen, short
from .stack import DIRECTORY, EDGE
from .web import Client, Unexpected, fetch

OURS = ("x-user-", "x-account-")


class Witness:
    """One connection to the edge, everybody's latest login, and a screen to report to."""

    def __init__(self, stack, issuer):
        self.stack, self.issuer, self.screen = stack, issuer, Screen()
        # One connection stays with one of Envoy's workers, so "known" means the same thing in every step.
        self.edge = Client(EDGE)
        self.logins = {}

    def check(self, holds, otherwise, log=None):
        if not holds:
            raise Unexpected(otherwise, log)

    # Asking.

    def login(self, person):
        if person not in self.logins:
            started = time.monotonic()
            self.logins[person] = self.issuer.log_in(person)
            self.screen.saw(f"{self.issuer.WAY.format(person)}, {(time.monotonic() - started) * 1000:.0f} ms")
        return self.logins[person]

    def token(self, person):
        return self.login(person)["access_token"]

    def ask(self, token, headers=None, note=None):
        shown = ["no authorization" if token is None else f"authorization: Bearer {short(token)}"]
        shown += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.screen.sent(f"GET /orders   {', '.join(shown)}" + (f"   ({note})" if note else ""))
        return self.send(token, headers)

    def send(self, token, headers=None, by=None):
        credentials = {} if token is None else {"authorization": f"Bearer {token}"}
        return (by or self.edge).send("GET", "/orders", {**credentials, **(headers or {})})

    def let_in(self, person):
        answer = self.send(self.token(person))
        return answer if answer.status == 200 else None

    # What came back.

    def forwarded(self, answer, person):
        """Shows the answer to somebody's request; gives back the headers that the application saw."""
        seen = self.arrived(answer, self.issuer.seen_as(person))
        self.check(seen.get("x-user-id") == claims(self.token(person))["sub"], f"{person} is somebody else", "envoy")
        return seen

    def arrived(self, answer, expected):
        """Shows an answer of the application, and holds the headers that it saw to what is expected."""
        self.check(answer.status == 200, f"the answer is {answer.status} {answer.slug() or ''}, not 200", "envoy")
        seen = headers_seen(answer)
        self.screen.got(answer, [f"the application saw {n}: {seen[n]}" for n in sorted(seen) if n.startswith(OURS)])
        for name, value in expected.items():
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

    def account(self, person):
        """The account of the subject that somebody's token names."""
        found = [one for one in self.accounts() if one["subject"]["id"] == claims(self.token(person))["sub"]]
        self.check(len(found) < 2, f"{person} has {len(found)} accounts", "directory")
        return found[0] if found else None

    def depart(self, person, reason):
        """Has the directory close somebody's account."""
        url = f"http://{DIRECTORY}/v1/accounts/{self.account(person)['id']}/depart"
        answer = fetch(url, "POST", {"authorization": f"Bearer {self.stack.token}"}, {"reason": reason})
        self.check(answer.status == 200, f"the directory answered {answer.status} to a departure", "directory")

    def last_seen(self, person):
        account = self.account(person)
        return account and account["last_seen"]

    def sighted_after(self, person, since):
        seen = self.last_seen(person)
        return seen if seen and instant(seen) > instant(since) else None

    def calls(self):
        """How often Envoy has called the directory, and how often the module has had an answer to an arrival."""
        stats = self.stack.stats("^cluster.directory.upstream_rq_total$|firstsight.arrivals")
        return stats.pop("cluster.directory.upstream_rq_total", 0), sum(stats.values())


def claims(token):
    """What a token says; nobody here needs to verify it."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


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
