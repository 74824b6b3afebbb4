"""What is measured: filter chains of Envoy that differ in one filter. Each has a listener of its own in one Envoy."""
import json
from pathlib import Path

from . import BENCH, MODULE
from .tokens import MODES, key_set

ISSUER = "https://idp.example.com/realms/acme"
AUDIENCE = "orders-api"
DIRECTORY_TOKEN = "the-directory-knows-this-one"


class Arm:
    """One of them: the filter before the router, the modes in which it says something that it does not say in others, and
    what the router does with every request."""

    def __init__(self, name, what, http_filter, modes=tuple(MODES), checks=True, route=None):
        self.name, self.what, self.http_filter, self.modes, self.checks = name, what, http_filter, modes, checks
        self.route = route or {"direct_response": {"status": 200}}


def arms(more_modules=()):
    """All of them, by name. `more_modules`: other builds of firstsight, (name, path)."""
    builds = [("firstsight", MODULE), *more_modules]
    found = [
        Arm("bare", "no filter", None, ("cached",), checks=False),
        Arm("empty", "a Rust filter that does nothing", wasm("empty", BENCH / "empty.wasm"), ("cached",), checks=False),
        Arm(
            "floor",
            "a Rust filter that reads the token's header and replaces three",
            wasm("floor", BENCH / "floor.wasm"),
            ("cached", "working"),
            checks=False,
        ),
        Arm("jwt_authn", "Envoy's own", jwt_authn()),
        Arm("jwt_authn+cache", "Envoy's own, with its cache (1000 tokens)", jwt_authn(jwt_cache_config={"jwt_cache_size": 1000})),
        *(
            Arm(name, "provisioning, three headers, sightings", wasm(name, path, firstsight(key_set())))
            for name, path in builds
        ),
    ]
    return {arm.name: arm for arm in found}


def wasm(name, path, configuration=None):
    plugin = {
        "name": name,
        "root_id": name,
        "failure_policy": "FAIL_RELOAD",
        "vm_config": {
            "vm_id": name,
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": str(Path(path).resolve())}},
            "environment_variables": {"key_values": {"DIRECTORY_TOKEN": DIRECTORY_TOKEN}},
        },
    }
    if configuration is not None:
        plugin["configuration"] = {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": json.dumps(configuration),
        }
    return {
        "name": f"envoy.filters.http.wasm/{name}",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": plugin},
    }


def firstsight(keys):
    """As a user has it, but that keys are in the configuration, as jwt_authn's are, and a window of sightings is so short
    that several fall into any run."""
    return {
        "gateway": "edge-1",
        "issuers": [{"issuer": ISSUER, "jwks": json.loads(keys), "audiences": [AUDIENCE]}],
        "headers": [
            {"header": "x-user-id", "claim": "sub"},
            {"header": "x-user-email", "claim": "email"},
            {"header": "x-account-id", "account": "id"},
        ],
        "attributes": [
            {"attribute": "userName", "claim": "preferred_username"},
            {"attribute": "emails", "claim": "email", "when_missing": "omit"},
        ],
        "provisioning": {"cluster": "directory", "authorization": {"env": "DIRECTORY_TOKEN"}},
        "last_seen": {"every": "10s"},
    }


def jwt_authn(**more):
    """The same terms, and those of the headers that it can write."""
    provider = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "forward": True,
        "local_jwks": {"inline_string": key_set()},
        "claim_to_headers": [
            {"header_name": "x-user-id", "claim_name": "sub"},
            {"header_name": "x-user-email", "claim_name": "email"},
        ],
        **more,
    }
    return {
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"idp": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "idp"}}],
        },
    }
