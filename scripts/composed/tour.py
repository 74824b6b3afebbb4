"""The tour: people and a service log in at Keycloak without a browser, and what becomes of their requests is shown."""
import base64
import json
import time

from show.web import wait_until
from show.witness import OURS, Witness, headers_seen

from .keycloak import Keycloak


def tell(stack):
    tour = Tour(stack)
    for step in (
        tour.nobody,
        tour.first_sight,
        tour.identity_token,
        tour.service,
        tour.drift,
        tour.disabled,
        tour.restart,
    ):
        step()
    tour.screen.summary()


class Tour(Witness):
    """The steps, in order."""

    def __init__(self, stack):
        super().__init__(stack)
        self.keycloak = Keycloak(stack.secrets)

    def token(self, person):
        if person not in self.tokens:
            self.tokens[person] = self.log_in(person)["access_token"]
        return self.tokens[person]

    def log_in(self, person):
        answer = self.keycloak.login(person)
        self.check(answer.status == 200, f"Keycloak answered {answer.status} to {person}'s login: {answer.body}", "keycloak")
        self.screen.saw(f"keycloak: {person} logs in with a password, {answer.milliseconds:.0f} ms")
        return answer.json()

    def account(self, person):
        """The account of whose token this is: Keycloak's `sub` is a UUID."""
        found = [one for one in self.accounts() if one["subject"]["id"] == claims(self.token(person))["sub"]]
        return found[0] if found else None

    def forwarded(self, answer, who, **expected):
        """Shows an answer of the application, and holds the headers that it saw to `expected`."""
        self.check(answer.status == 200, f"the answer is {answer.status} {answer.slug() or ''}, not 200", "envoy")
        seen = headers_seen(answer)
        self.screen.got(answer, [f"the application saw {name}: {seen[name]}" for name in sorted(seen) if name.startswith(OURS)])
        expected = {"x-user-name": who, **{name.replace("_", "-"): value for name, value in expected.items()}}
        for name, value in expected.items():
            self.check(seen.get(name) == value, f"the application saw {name}: {seen.get(name)}, not {value}", "envoy")
        return seen

    # The steps.

    def nobody(self):
        self.screen.step("Nobody in particular")
        self.refused(self.ask(None), 401, "token-missing")

    def first_sight(self):
        self.screen.step("First sight of alice")
        token = self.token("alice")
        answer = self.ask(token, {"x-user-roles": "admin"})
        since = time.monotonic() - self.stack.started
        seen = self.forwarded(answer, "alice", x_user_groups="engineering,platform", x_user_roles="dev,ops")
        account = self.account("alice")
        self.check(account and account["id"] == seen["x-account-id"], "the directory has another account", "directory")
        self.screen.saw(f"directory: account {account['id']}, {account['attributes']}")
        self.screen.result(f"{answer.status} in {answer.milliseconds:.1f} ms, {since:.0f} s after the start of everything")
        self.screen.why("her account was made while her request waited; Keycloak's nested roles and groups became headers, hers did not")

    def identity_token(self):
        self.screen.step("An ID token is not an access token")
        answer = self.ask(self.log_in("alice")["id_token"], note="alice's ID token")
        self.refused(answer, 401, "token-unsupported")
        self.screen.why("it tells a client who logged in, and opens nothing")

    def service(self):
        self.screen.step("A service with client credentials")
        token = self.keycloak.job().json()["access_token"]
        self.forwarded(self.ask(token), "service-account-orders-job")
        kinds = {one["attributes"]["userName"]: one["kind"] for one in self.accounts()}
        self.check(kinds["service-account-orders-job"] == "service", f"the kinds are {kinds}", "directory")
        self.screen.saw(f"directory: {kinds}")

    def drift(self):
        self.screen.step("Alice's groups change")
        self.keycloak.move("alice", "engineering/platform", "support")
        self.screen.saw("keycloak: alice leaves engineering/platform and joins support")
        self.tokens.clear()
        answer = self.ask(self.token("alice"))
        self.forwarded(answer, "alice", x_user_groups="engineering,support", x_user_roles="dev")
        follows = lambda: self.account("alice")["attributes"]["groups"] == ["engineering", "support"]  # noqa: E731
        wait_until(follows, 5, "the account did not follow", "directory")
        self.screen.saw(f"directory: {self.account('alice')['attributes']}")
        self.screen.why("her next token says it; the request went on at once, and the account followed behind it")

    def disabled(self):
        self.screen.step("Bob is disabled in Keycloak")
        login = self.log_in("bob")
        self.tokens["bob"] = login["access_token"]
        self.forwarded(self.ask(self.token("bob")), "bob", x_user_groups="support")
        started = time.monotonic()
        self.keycloak.disable("bob")
        self.screen.saw("keycloak: bob is disabled and signed out of all sessions")
        out = lambda: self.send(self.token("bob")).status in (401, 403)  # noqa: E731 (it says what is waited for)
        wait_until(out, 30, "bob is still let in", "directory")
        took = time.monotonic() - started
        left = claims(self.token("bob"))["exp"] - time.time()
        self.refused(self.ask(self.token("bob"), note=f"a token that is valid for {left / 60:.0f} minutes more"), 401, "token-outdated")
        again = self.keycloak.refresh(login["refresh_token"]), self.keycloak.login("bob")
        self.check(all(answer.status in (400, 401) for answer in again), "Keycloak lets bob in again", "keycloak")
        self.screen.saw(f"keycloak: no new token for bob, {again[1].json()['error_description']!r}")
        self.screen.result(f"refused {took:.1f} s after it, with a token that was good for minutes, and no login")
        self.screen.why("Keycloak sends a signed event (Shared Signals) to the directory, and gateways follow the directory's feed")

    def restart(self):
        self.screen.step("Everything is restarted")
        before = self.account("alice")["id"]
        started = time.monotonic()
        self.stack.run("stop")
        self.stack.up()
        token = self.token("alice")
        let_in = lambda: self.send(token).status == 200  # noqa: E731 (it says what is waited for)
        wait_until(let_in, 120, "alice is not let in", "envoy")
        seen = self.forwarded(self.ask(token), "alice")
        self.check(seen["x-account-id"] == before, "alice has another account", "directory")
        self.screen.result(f"{time.monotonic() - started:.0f} s; alice's token and account are as before")
        bobs = self.send(self.token("bob"))
        self.check(bobs.slug() == "token-outdated", f"bob's token gets {bobs.status} {bobs.slug()}", "envoy")
        self.screen.why("accounts are PostgreSQL's, users and keys Keycloak's; bob's token is as worthless as before")


def claims(token):
    """What a token says; nobody here needs to verify it."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
