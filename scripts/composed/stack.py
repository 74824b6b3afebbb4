"""The stack of envoy/compose.yaml: its secrets, its commands, and whether it is up.

There are two of it: the user's, whose secrets are in envoy/.env, and the tour's, which lives as long as the tour. They have
the same ports and different volumes.
"""
import json
import os
import secrets
import shutil
import subprocess
import time
from functools import cached_property
from pathlib import Path

from show.screen import doing, say
from show.web import Unexpected, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "envoy" / "compose.yaml"

EDGE = "127.0.0.1:10000"
DIRECTORY = "127.0.0.1:8090"
KEYCLOAK = "127.0.0.1:8180"

# Everything that compose.yaml asks for.
SECRETS = ("POSTGRES_PASSWORD", "KEYCLOAK_ADMIN_PASSWORD", "JOB_SECRET", "DEMO_PASSWORD")


class Stack:
    def __init__(self, project, secrets_file):
        self.project, self.file, self.started = project, secrets_file, None
        self.compose = [*program(), "--project-name", project, "--file", str(FILE), "--env-file", str(secrets_file)]

    @property
    def secrets(self):
        lines = self.file.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def write_secrets(self):
        """Makes them, unless they are there: the volumes hold what they were when those were made."""
        if self.file.exists():
            return
        self.file.parent.mkdir(exist_ok=True)
        self.file.touch(mode=0o600)
        made = {name: secrets.token_hex(16) for name in SECRETS}
        lines = [f"COMPOSE_PROJECT_NAME={self.project}", *(f"{name}={value}" for name, value in made.items())]
        self.file.write_text("\n".join(lines) + "\n")

    @cached_property
    def token(self):
        """What the tour reads the directory with."""
        make = ("firstsight", "token", "create", "--name", f"tour-{secrets.token_hex(4)}", "--scope", "auditor")
        return self.run("exec", "-T", "directory", *make).strip()

    def run(self, *arguments, shown=False):
        """A command of compose's, by whatever is here; gives back what it wrote, unless that is shown."""
        kept = None if shown else subprocess.PIPE
        done = subprocess.run([*self.compose, *arguments], stdout=kept, stderr=kept, stdin=subprocess.DEVNULL, text=True)
        if done.returncode:
            raise Unexpected(f"compose {' '.join(arguments)} failed\n{done.stderr or ''}".rstrip())
        return done.stdout

    def up(self):
        """Starts what does not run; back when everything is healthy."""
        self.started = time.monotonic()
        self.run("up", "--detach")
        healthy = lambda: set(self.health().values()) == {"healthy"}  # noqa: E731 (it says what is waited for)
        wait_until(healthy, 120, "not everything is healthy; `docker ps` says what is not")

    def health(self):
        names = self.run("ps", "--quiet").split()
        shown = subprocess.run(["docker", "inspect", *names], stdout=subprocess.PIPE, check=True).stdout
        label = "com.docker.compose.service"
        lasting = [one for one in json.loads(shown) if "Health" in one["State"]]
        return {one["Config"]["Labels"][label]: one["State"]["Health"]["Status"] for one in lasting}

    def down(self, forget=False):
        if not self.file.exists():
            return
        self.run("down", "--remove-orphans", *(["--volumes"] if forget else []))
        if forget:
            self.file.unlink(missing_ok=True)


def program():
    """`docker compose` if there is one, else the older `docker-compose`."""
    if not shutil.which("docker"):
        raise Unexpected("there is no `docker` here")
    named = os.environ.get("COMPOSE")
    if named:
        return named.split()
    if not subprocess.run(["docker", "compose", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise Unexpected("neither `docker compose` nor `docker-compose` is here")


def prepare():
    """The module, which Envoy is given as a file; images are compose's own to build and to pull."""
    doing("preparing the module")
    started = time.monotonic()
    if subprocess.call(["scripts/wasm.sh"], cwd=ROOT):
        raise Unexpected("could not build the module; the reason is above")
    say(f"    {time.monotonic() - started:.1f} s")

