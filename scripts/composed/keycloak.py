"""Keycloak from outside: logging in without a browser, and what an administrator does, by its REST API."""
import json
import urllib.parse

from show.web import Unexpected, fetch

from .stack import KEYCLOAK

REALM = "firstsight"
CLIENT = "orders-cli"


class Keycloak:
    def __init__(self, secrets):
        self.secrets = secrets

    # As people and services do.

    def login(self, person, scope="openid"):
        """The answer to a login with a password (RFC 6749 §4.3): tokens, or why not."""
        form = {"grant_type": "password", "client_id": CLIENT, "username": person, "scope": scope}
        return self.token(REALM, {**form, "password": self.secrets["DEMO_PASSWORD"]})

    def job(self):
        """The answer to a service's own request (RFC 6749 §4.4)."""
        form = {"grant_type": "client_credentials", "client_id": "orders-job", "client_secret": self.secrets["JOB_SECRET"]}
        return self.token(REALM, form)

    def refresh(self, token):
        return self.token(REALM, {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": token})

    def token(self, realm, form):
        return self.post_form(f"/realms/{realm}/protocol/openid-connect/token", form)

    def post_form(self, path, form):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return fetch(f"http://{KEYCLOAK}{path}", "POST", headers, urllib.parse.urlencode(form), timeout=30)

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

    def move(self, person, leaves, joins):
        """Changes somebody's groups."""
        user = self.user(person)["id"]
        self.admin("DELETE", f"/users/{user}/groups/{self.group(leaves)}")
        self.admin("PUT", f"/users/{user}/groups/{self.group(joins)}", {})

    def group(self, path):
        return self.admin("GET", f"/group-by-path/{path}").json()["id"]

    def admin(self, method, path, body=None):
        # An administrator's token lives for a minute.
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin"}
        login = self.token("master", {**form, "password": self.secrets["KEYCLOAK_ADMIN_PASSWORD"]})
        headers = {"authorization": f"Bearer {login.json()['access_token']}", "content-type": "application/json"}
        url = f"http://{KEYCLOAK}/admin/realms/{REALM}{path}"
        answer = fetch(url, method, headers, None if body is None else json.dumps(body), timeout=30)
        if answer.status >= 300:
            raise Unexpected(f"Keycloak answered {answer.status} to {method} {path}: {answer.body[:200]!r}", "keycloak")
        return answer
