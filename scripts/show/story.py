"""The story: each step sends real requests, shows what came back, says why, and fails if it is not so."""
import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

from .issuer import DevIssuer
from .stack import EDGE
from .web import Client, wait_until
from .witness import Witness, claims, headers_seen, moment


def tell(stack):
    story = Story(stack, DevIssuer())
    story.tell(story.beginning() + story.end())


class Story(Witness):
    """Its steps. Alice, Bob and Carol are told apart by nothing but issuer and `sub`."""

    def tell(self, steps):
        for step in steps:
            step()
        self.screen.summary()

    def beginning(self):
        """The steps of every stack, in order."""
        return [
            self.no_token,
            self.forged_token,
            self.first_sight,
            self.second_request,
            self.spoofed_header,
            self.second_user,
            self.sighting,
            self.departure,
            self.directory_down,
            self.directory_back,
            self.key_rotation,
        ]

    def end(self):
        return [self.restart]

    def no_token(self):
        self.screen.step("No token")
        answer = self.ask(None)
        self.refused(answer, 401, "token-missing")
        self.screen.why("nothing is forwarded without a token; RFC 6750 wants no error code when no credentials came")

    def forged_token(self):
        self.screen.step("A forged token")
        header, _, signature = self.token("alice").split(".")
        payload = json.dumps({**claims(self.token("alice")), "sub": "admin"})
        forged = base64.urlsafe_b64encode(payload.encode()).decode().rstrip("=")
        answer = self.ask(f"{header}.{forged}.{signature}", note="alice's token, its subject changed to admin")
        self.refused(answer, 401, "signature-invalid")
        self.screen.why("the signature does not cover these claims, so none of them was looked at")

    def first_sight(self):
        self.screen.step("First sight of alice")
        self.check(self.account("alice") is None, "alice has an account before she was seen", "directory")
        seen = self.forwarded(self.ask(self.token("alice")), "alice")
        account = self.account("alice")
        self.check(account is not None, "the directory has no account for alice", "directory")
        self.check(account["id"] == seen["x-account-id"], "the account's id is another one", "directory")
        self.screen.saw(f"directory: account {account['id']} for alice, made while her request was held")
        self.screen.why("an unknown subject's request waits for one POST /v1/arrivals; no log-in flow, no batch import")

    def second_request(self):
        self.screen.step("Twenty more requests of alice")
        before = self.calls()
        answers = [self.send(self.token("alice")) for _ in range(20)]
        after = self.calls()
        calls, arrivals = after[0] - before[0], after[1] - before[1]
        self.screen.sent("20 times GET /orders with alice's token")
        quickest = min(answers, key=lambda answer: answer.milliseconds)
        self.forwarded(quickest, "alice")
        codes = [answer.status for answer in answers]
        self.check(set(codes) == {200}, f"the answers are {codes}", "envoy")
        self.check(arrivals == 0, f"{arrivals} arrivals were reported for a known subject", "envoy")
        # A batch of sightings may have gone out in between, and the feed of departures may have been asked.
        self.check(calls < len(answers), f"the directory was called {calls} times", "envoy")
        self.screen.saw(f"envoy: no arrival was reported; calls to the directory for other reasons: {calls}")
        self.screen.result(f"20 x {quickest.status}, quickest {quickest.milliseconds:.1f} ms, the directory was not asked")
        self.screen.why("the worker remembers her standing; the time shown is that of the quickest")

    def spoofed_header(self):
        self.screen.step("A spoofed identity header")
        seen = self.forwarded(self.ask(self.token("alice"), {"x-user-id": "admin", "X-Account-Id": "1"}), "alice")
        self.check("admin" not in json.dumps(seen), "the application saw the spoofed header", "envoy")
        self.screen.why("headers that the mapping owns are removed from every request before anything else happens")

    def second_user(self):
        self.screen.step("First sight of bob, eight times at once")
        token = self.token("bob")
        with ThreadPoolExecutor(8) as crowd:
            answers = list(crowd.map(lambda by: self.send(token, by=by), [Client(EDGE) for _ in range(8)]))
        self.screen.sent("GET /orders with bob's token, on eight connections at once")
        self.forwarded(max(answers, key=lambda answer: answer.milliseconds), "bob")
        codes = [answer.status for answer in answers]
        self.check(set(codes) == {200}, f"the answers are {codes}", "envoy")
        made = {headers_seen(answer)["x-account-id"] for answer in answers}
        self.check(made == {self.account("bob")["id"]}, f"the application saw the accounts {made}", "directory")
        self.check(len(self.accounts()) == 2, f"there are {len(self.accounts())} accounts, not 2", "directory")
        for person in ("alice", "bob"):
            self.screen.saw(f"directory: account {self.account(person)['id']} for {person}")
        self.screen.why("a subject is issuer and `sub`, nothing else; another subject gets another account, and only one")

    def sighting(self):
        self.screen.step("Last seen")
        before = wait_until(lambda: self.last_seen("alice"), 10, "no sighting of alice at the directory", "envoy")
        now = moment()
        answer = self.ask(self.token("alice"))
        self.forwarded(answer, "alice")
        started = time.monotonic()
        after = wait_until(lambda: self.sighted_after("alice", now), 10, "alice's last_seen did not move", "envoy")
        took = time.monotonic() - started
        self.screen.saw(f"directory: last_seen {before} -> {after}, {took:.1f} s after the request")
        self.screen.result(f"moved {took:.1f} s after a request that took {answer.milliseconds:.1f} ms")
        self.screen.why("sightings are collected and sent as one CloudEvents batch per window (here 2 s), off the request's way")

    def departure(self):
        self.screen.step("Bob leaves")
        self.forwarded(self.ask(self.token("bob")), "bob")
        (_, before), started = self.calls(), time.monotonic()
        self.depart("bob", "left the company")
        refused = lambda: self.send(self.token("bob")).status == 403  # noqa: E731 (it says what is waited for)
        wait_until(refused, 5, "bob is still let in", "envoy")
        took = (time.monotonic() - started) * 1000
        self.screen.sent("POST /v1/accounts/{id}/depart to the directory, then GET /orders with bob's token until it is refused")
        self.refused(self.ask(self.token("bob")), 403, "account-departed")
        self.check(self.calls()[1] == before, "the directory was asked about bob again", "envoy")
        self.screen.result(f"refused {took:.0f} ms after the directory was told, with a token that is valid for {left(self.token('bob'))} minutes more")
        self.screen.why("the gateway follows the directory's feed of departures; nobody had to log in for bob to be out")

    def directory_down(self):
        self.screen.step("The directory goes down")
        self.stack.stop("directory")
        self.screen.saw("directory: stopped")
        self.outage = moment()
        self.forwarded(self.ask(self.token("alice")), "alice")
        self.screen.why("alice is known: the outage is none of her business")
        answer = self.ask(self.token("carol"))
        self.refused(answer, 503, "directory-unavailable")
        self.check("retry-after" in answer.headers, "the refusal has no Retry-After", "envoy")
        self.screen.result(f"alice 200, carol {answer.status} with Retry-After: {answer.headers['retry-after']}")
        self.screen.why("carol is new and `when_unavailable` is deny: no account, no entry, and a word on when to try again")

    def directory_back(self):
        self.screen.step("The directory is back")
        self.stack.start("directory")
        answer = wait_until(lambda: self.let_in("carol"), 15, "carol is still refused", "envoy")
        self.screen.sent("GET /orders with carol's token, until it passes")
        self.forwarded(answer, "carol")
        arrived = lambda: self.sighted_after("alice", self.outage)  # noqa: E731 (it says what is waited for)
        after = wait_until(arrived, 30, "what was sighted during the outage did not arrive", "envoy")
        self.screen.saw(f"directory: last_seen of alice is {after}, when there was no directory")
        self.screen.result(f"carol {answer.status}; sightings of the outage arrived")
        self.screen.why("sightings that could not be sent are kept, bounded, and sent again")

    def key_rotation(self):
        self.screen.step("The issuer rotates its keys")
        old = self.token("alice")
        self.issuer.rotate()
        self.logins.clear()
        self.screen.saw("issuer: new key, old key withdrawn")
        answer = self.ask(self.token("alice"))
        self.forwarded(answer, "alice")
        self.screen.why("a token that names an unknown key makes the worker fetch the issuer's keys once, and wait for them")
        self.refused(self.ask(old, note="alice's token of before"), 401, "key-unknown")
        self.screen.result(f"new token {answer.status} in {answer.milliseconds:.1f} ms, old token 401, no restart")
        self.screen.why("its key is published no more")

    def drift(self):
        self.screen.step("Alice's groups change")
        self.screen.saw(f"issuer: {self.issuer.move('alice')}")
        del self.logins["alice"]
        answer = self.ask(self.token("alice"))
        groups = self.forwarded(answer, "alice")["x-user-groups"].split(",")
        follows = lambda: self.account("alice")["attributes"]["groups"] == groups  # noqa: E731 (it says what is waited for)
        wait_until(follows, 5, "the account did not follow", "directory")
        self.screen.saw(f"directory: {self.account('alice')['attributes']}")
        self.screen.why("her next token says it; the request went on at once, and the account followed behind it")

    def restart(self):
        self.screen.step("A restart")
        before, started = self.account("alice")["id"], time.monotonic()
        what = self.stack.restart()
        answer = wait_until(lambda: self.let_in("alice"), 120, "alice is not let in", "envoy")
        took = time.monotonic() - started
        self.check(self.forwarded(answer, "alice")["x-account-id"] == before, "alice has another account", "directory")
        self.refused(self.ask(self.token("bob")), 403, "account-departed")
        self.screen.result(f"{what}: {took:.1f} s; alice's token and account are as before, and bob is still out")
        self.screen.why("what was decided is in the directory's database; a proxy that has forgotten everybody asks")


def left(token):
    """For how many minutes a token is still good."""
    return round((claims(token)["exp"] - time.time()) / 60)
