"""Keycloak from outside: people and services that log in, and what an administrator does, by its REST API."""
import json
import urllib.parse

from show.web import Unexpected, fetch

from .browser import Browser
from .stack import KEYCLOAK

REALM = "firstsight"
CLIENT = "orders-cli"

# Whose groups and roles realm.json says what of.
PEOPLE = {
    "alice": {"x-user-groups": "engineering,platform", "x-user-roles": "dev,ops"},
    "bob": {"x-user-groups": "support"},
    "carol": {"x-user-groups": "engineering", "x-user-roles": "dev"},
}


class Keycloak:
    WAY = "keycloak: {} logs in (device grant, RFC 8628)"

    def __init__(self, secrets):
        self.secrets, self.people = secrets, dict(PEOPLE)

    # As people and services do.

    def log_in(self, person):
        """The answer to a login: tokens. A program asks for a code, and the person confirms it in a browser (RFC 8628)."""
        grant = self.post(REALM, "/auth/device", client_id=CLIENT, scope="openid").json()
        said = self.confirm(grant["verification_uri_complete"], person)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": grant["device_code"]}
        answer = self.token(REALM, client_id=CLIENT, **form)
        if answer.status != 200:
            raise Unexpected(f"Keycloak answered {answer.status} to {person}'s login: {answer.body}, and said {said}", "keycloak")
        return answer.json()

    def confirm(self, url, person):
        """The page that somebody sees in the end who confirms a code."""
        browser = Browser(KEYCLOAK)
        page = browser.submit(browser.open(url), username=person, password=self.secrets["DEMO_PASSWORD"])
        # Whoever may not log in stays at the first form.
        return browser.submit(page, accept="Yes") if "accept" in page.buttons else page

    def turned_away(self, person):
        """What somebody is told at the login."""
        grant = self.post(REALM, "/auth/device", client_id=CLIENT).json()
        return str(self.confirm(grant["verification_uri_complete"], person))

    def service(self):
        """A service's own token (RFC 6749 §4.4)."""
        form = {"client_id": "orders-job", "client_secret": self.secrets["JOB_SECRET"]}
        return self.token(REALM, grant_type="client_credentials", **form).json()["access_token"]

    def refresh(self, token):
        return self.token(REALM, grant_type="refresh_token", client_id=CLIENT, refresh_token=token)

    def token(self, realm, **form):
        return self.post(realm, "/token", **form)

    def post(self, realm, path, **form):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        url = f"http://{KEYCLOAK}/realms/{realm}/protocol/openid-connect{path}"
        return fetch(url, "POST", headers, urllib.parse.urlencode(form), timeout=30)

    def seen_as(self, person):
        """Headers that the application sees of somebody's request."""
        return {"x-user-name": person, "x-user-email": f"{person}@example.test", **self.people[person]}

    # As an administrator does.

    def user(self, person):
        found = self.admin("GET", f"/users?username={person}&exact=true").json()
        if len(found) != 1:
            raise Unexpected(f"Keycloak has {len(found)} users called {person}", "keycloak")
        return found[0]

    def disable(self, person):
        """Two clicks in its console: the user is disabled, and signed out of all sessions, which is what it tells others."""
        user = self.user(person)
        self.admin("PUT", f"/users/{user['id']}", {**user, "enabled": False})
        self.admin("POST", f"/users/{user['id']}/logout", {})

    def move(self, person):
        """Alice changes teams; gives back how."""
        user = self.user(person)["id"]
        leaves, joins = (self.admin("GET", f"/group-by-path/{path}").json()["id"] for path in ("engineering/platform", "support"))
        self.admin("DELETE", f"/users/{user}/groups/{leaves}")
        self.admin("PUT", f"/users/{user}/groups/{joins}", {})
        self.people[person] = {"x-user-groups": "engineering,support", "x-user-roles": "dev"}
        return f"{person} leaves engineering/platform and joins support"

    def rotate(self):
        """The realm signs with a new key, and the one of before is withdrawn."""
        kind = {"providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider"}
        old = self.admin("GET", f"/components?type={kind['providerType']}").json()
        self.admin("POST", "/components", {**kind, "name": "next", "config": {"priority": ["200"], "algorithm": ["RS256"]}})
        for one in [key for key in old if key["providerId"] == kind["providerId"]]:
            self.admin("DELETE", f"/components/{one['id']}")

    def admin(self, method, path, body=None):
        # An administrator's token lives for a minute.
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin"}
        login = self.token("master", **form, password=self.secrets["KEYCLOAK_ADMIN_PASSWORD"])
        headers = {"authorization": f"Bearer {login.json()['access_token']}", "content-type": "application/json"}
        url = f"http://{KEYCLOAK}/admin/realms/{REALM}{path}"
        answer = fetch(url, method, headers, None if body is None else json.dumps(body), timeout=30)
        if answer.status >= 300:
            raise Unexpected(f"Keycloak answered {answer.status} to {method} {path}: {answer.body[:200]!r}", "keycloak")
        return answer
