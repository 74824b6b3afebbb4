"""The tour: the story, told of containers and of people who log in at Keycloak, and what only these can show."""
import time

from show.story import Story, left
from show.web import wait_until

from .keycloak import Keycloak


def tell(stack):
    tour = Tour(stack, Keycloak(stack.secrets))
    tour.tell(
        tour.beginning() + [tour.drift, tour.identity_token, tour.service, tour.disabled, tour.killed] + tour.end()
    )


class Tour(Story):
    def first_sight(self):
        super().first_sight()
        since = time.monotonic() - self.stack.started
        self.screen.result(f"200, {since:.0f} s after the start of everything")

    def identity_token(self):
        self.screen.step("An ID token is not an access token")
        self.refused(self.ask(self.login("alice")["id_token"], note="alice's ID token"), 401, "token-unsupported")
        self.screen.why("it tells a client who logged in, and opens nothing")

    def service(self):
        self.screen.step("A service with client credentials")
        name = "service-account-orders-job"
        self.arrived(self.ask(self.issuer.service()), {"x-user-name": name})
        kinds = {one["attributes"]["userName"]: one["kind"] for one in self.accounts()}
        self.check(kinds[name] == "service", f"the kinds are {kinds}", "directory")
        self.screen.saw(f"directory: {kinds}")

    def disabled(self):
        self.screen.step("Carol is disabled in Keycloak")
        login = self.login("carol")
        token, started = login["access_token"], time.monotonic()
        self.forwarded(self.ask(token), "carol")
        self.issuer.disable("carol")
        self.screen.saw("keycloak: carol is disabled and signed out of all sessions")
        out = lambda: self.send(token).status in (401, 403)  # noqa: E731 (it says what is waited for)
        wait_until(out, 30, "carol is still let in", "directory")
        took = time.monotonic() - started
        self.refused(self.ask(token, note=f"a token that is valid for {left(token)} minutes more"), 401, "token-outdated")
        self.check(self.issuer.refresh(login["refresh_token"]).status == 400, "Keycloak gives carol another token", "keycloak")
        said = self.issuer.turned_away("carol")
        self.check("Account is disabled" in said, f"Keycloak tells carol {said}", "keycloak")
        self.screen.saw("keycloak: no other token for carol; at the login she reads that her account is disabled")
        self.screen.result(f"refused {took:.1f} s after it, with a token that was good for minutes, and no login")
        self.screen.why("Keycloak sends a signed event (Shared Signals) to the directory, and gateways follow the directory's feed")

    def killed(self):
        self.screen.step("Each process is killed")
        took = {}
        for service in self.stack.health():
            self.stack.kill(service)
            started = time.monotonic()
            wait_until(lambda: self.let_in("alice"), 120, f"alice is not let in after {service} was killed", "envoy")
            served = time.monotonic() - started
            self.stack.until_healthy()
            self.check(self.account("alice"), "the directory has lost alice", "directory")
            took[service] = f"{served:.1f} s, and healthy after {time.monotonic() - started:.0f} s"
            self.screen.saw(f"{service} is killed: alice is let in after {took[service]}")
        del self.logins["alice"]
        self.forwarded(self.ask(self.token("alice")), "alice")
        self.screen.result(f"{', '.join(took)}: each came back by itself")
        self.screen.why("containers restart; whoever is known is served meanwhile, unless it is the proxy or the application itself")

    def restart(self):
        super().restart()
        answer = self.send(self.token("carol"))
        self.check(answer.slug() == "token-outdated", f"carol's token gets {answer.status} {answer.slug()}", "envoy")
