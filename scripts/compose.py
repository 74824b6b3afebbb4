#!/usr/bin/env python3
"""Everything in containers: Envoy, Keycloak, the directory on PostgreSQL, an application (envoy/compose.yaml).

    scripts/compose.py demo           starts it on volumes of its own, tells the tour with real logins, removes everything
    scripts/compose.py test COMMAND   the same, with this command after the tour, which is told where Keycloak is
    scripts/compose.py up             starts it and says what to try
    scripts/compose.py login PERSON   logs alice, bob or carol in; writes the access token
    scripts/compose.py down           stops it; accounts and users stay
    scripts/compose.py reset          stops it and forgets them, and the secrets
    scripts/compose.py env            writes the secrets to envoy/.env, and starts nothing

`docker compose` is taken if it is there, else `docker-compose`; COMPOSE names another. STAND_INS=1 builds what cannot be
pulled (scripts/stand-ins).
"""
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from composed import stack as composed  # noqa: E402 (the line above must come first)
from composed.keycloak import Keycloak  # noqa: E402
from composed.tour import tell  # noqa: E402
from show.screen import bold, doing, failed, say  # noqa: E402
from show.stack import DIRECTORY, EDGE  # noqa: E402
from show.web import Unexpected  # noqa: E402

TO_TRY = f"""
{bold('It runs. To try, from the repository:')}

  token=$(scripts/compose.py login alice)                    # the login's pages are read and answered for you
  curl -i http://{EDGE}/orders                                          # refused
  curl -i http://{EDGE}/orders -H "authorization: Bearer $token"        # what the application saw
  admin=$(cd envoy && {{compose}} exec -T directory firstsight token create --name me --scope admin)
  curl -s http://{DIRECTORY}/v1/accounts -H "authorization: Bearer $admin"

Keycloak's console: http://keycloak.localhost:8180, as `admin` with KEYCLOAK_ADMIN_PASSWORD of envoy/.env: disable bob
there, sign him out of all sessions, and his token is worthless a second later. {bold('make compose-down')} stops everything.
"""


def main():
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, interrupted)
    users = composed.Stack("firstsight", composed.ROOT / "envoy" / ".env")
    command = sys.argv[1] if len(sys.argv) > 1 else None
    if command == "demo":
        act(lambda: whole(users, tell))
    elif command == "test":
        act(lambda: whole(users, lambda stack: test(stack, sys.argv[2:])))
    elif command == "up":
        act(lambda: up(users))
    elif command == "login" and len(sys.argv) == 3:
        act(lambda: say(Keycloak(users.secrets).log_in(sys.argv[2])["access_token"]))
    elif command == "down":
        act(users.down)
    elif command == "reset":
        act(lambda: users.down(forget=True))
    elif command == "env":
        act(users.write_secrets)
    else:
        sys.exit(__doc__)


def act(what):
    try:
        what()
    except Unexpected as problem:
        failed(str(problem))
        sys.exit(1)
    except ConnectionRefusedError:
        failed("nothing answers; does it run? `make compose-up`")
        sys.exit(1)
    except KeyboardInterrupt:
        say("\ninterrupted")
        sys.exit(1)


def up(stack):
    ready(stack)
    say(TO_TRY.format(compose=" ".join(composed.program())))


def test(stack, command):
    """The tour, and a suite that wants a Keycloak."""
    tell(stack)
    doing(" ".join(command))
    where = {"FIRSTSIGHT_KEYCLOAK": f"http://{composed.KEYCLOAK}"}
    secret = {"KEYCLOAK_ADMIN_PASSWORD": stack.secrets["KEYCLOAK_ADMIN_PASSWORD"]}
    if subprocess.call(command, cwd=composed.ROOT, env={**os.environ, **where, **secret}):
        raise Unexpected("the suite failed; the reason is above", "keycloak")


def whole(users, act):
    """Does that with a stack that lives as long as this."""
    if users.file.exists() and users.run("ps", "--quiet").strip():
        raise Unexpected("it runs already, on the same ports; `make compose-down` stops it")
    stack = composed.Stack("firstsight-demo", composed.ROOT / ".run" / "compose.env")
    started = time.monotonic()
    try:
        ready(stack)
        act(stack)
    except Unexpected as problem:
        if problem.log:
            stack.run("logs", "--tail", "25", problem.log, shown=True)
        raise
    finally:
        # A second Ctrl-C may not keep the first from cleaning up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        doing("removing it: containers, networks, volumes, secrets")
        stack.down(forget=True)
    say(f"\nThe whole of it took {time.monotonic() - started:.0f} s. `make compose-up` runs it for you to play with.")


def ready(stack):
    composed.prepare()
    if os.environ.get("STAND_INS"):
        doing("building what cannot be pulled")
        if subprocess.call([composed.ROOT / "scripts" / "stand-ins" / "build.sh"]):
            raise Unexpected("could not build the stand-ins; the reason is above")
    stack.write_secrets()
    doing("pulling and building images that are not there")
    stack.fetch_images()
    doing("starting")
    stack.up()
    say(f"    everything is healthy after {time.monotonic() - stack.started:.1f} s")


def interrupted(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
