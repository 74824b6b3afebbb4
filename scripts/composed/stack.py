"""The stack of envoy/compose.yaml: its secrets, its commands, and whether it is up.

There are two of it: the user's, whose secrets are in envoy/.env, and the tour's, which lives as long as the tour. They have
the same ports and different volumes.
"""
import json
import os
import re
import secrets
import shutil
import subprocess
import time
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from show.screen import doing, say
from show.stack import counters
from show.web import Unexpected, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "envoy" / "compose.yaml"

KEYCLOAK = "127.0.0.1:8180"

# Everything that compose.yaml asks for.
SECRETS = ("POSTGRES_PASSWORD", "KEYCLOAK_ADMIN_PASSWORD", "JOB_SECRET", "DEMO_PASSWORD")


class Stack:
    def __init__(self, project, secrets_file):
        self.project, self.file, self.started = project, secrets_file, None
        self.compose = [*program(), "--project-name", project, "--file", str(FILE), "--env-file", str(secrets_file)]

    @property
    def secrets(self):
        if not self.file.exists():
            raise Unexpected(f"there is no {self.file.relative_to(ROOT)}; `make compose-up` makes it")
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
        make = ("firstsight", "token", "create", "--name", f"tour-{secrets.token_hex(4)}", "--scope", "admin")
        return self.inside("directory", *make).strip()

    def run(self, *arguments, shown=False):
        """A command of compose's, by whatever is here; gives back what it wrote, unless that is shown."""
        kept = None if shown else subprocess.PIPE
        done = subprocess.run([*self.compose, *arguments], stdout=kept, stderr=kept, stdin=subprocess.DEVNULL, text=True)
        if done.returncode:
            raise Unexpected(f"compose {' '.join(arguments)} failed\n{done.stderr or ''}".rstrip())
        return done.stdout

    def fetch_images(self):
        """Builds and pulls what is not there, so that starting is starting."""
        wanted = set(re.findall(r"^ *image: *(\S+)", FILE.read_text(), re.MULTILINE))
        inspect = ["docker", "image", "inspect"]
        missing = [name for name in wanted if subprocess.run([*inspect, name], capture_output=True).returncode]
        if any(name.startswith("firstsight/") for name in missing):
            self.run("build", shown=True)
        for name in missing:
            if not name.startswith("firstsight/") and subprocess.call(["docker", "pull", name]):
                raise Unexpected(f"could not pull {name}; where no image can be pulled, STAND_INS=1 builds one")

    def up(self):
        """Starts what does not run; back when everything is healthy."""
        self.started = time.monotonic()
        self.run("up", "--detach")
        self.until_healthy()

    def stop(self, service):
        self.run("stop", service)

    def start(self, service):
        self.run("start", service)
        self.until_healthy()

    def restart(self):
        self.run("stop")
        self.up()
        return "all containers"

    def kill(self, service):
        """Ends a service's process, as a crash does. `docker kill` would count as a wish, after which nothing restarts."""
        process = docker("inspect", "--format", "{{.State.Pid}}", *self.containers(service)).strip()
        image = "firstsight/companion:0.1.0"
        docker("run", "--rm", "--pid=host", "--user=0", "--entrypoint=bash", image, "-c", f"kill -9 {process}")

    def stats(self, pattern):
        """Envoy's counters whose names match; its administration is open inside its container alone."""
        ask = "exec 3<>/dev/tcp/127.0.0.1/9901; printf 'GET %s HTTP/1.1\r\nhost: stats\r\nconnection: close\r\n\r\n' \"$0\" >&3; cat <&3"
        return counters(self.inside("envoy", "bash", "-c", ask, f"/stats?filter={quote(pattern)}"))

    def inside(self, service, *command):
        """What a command says that is run in a service's container."""
        return docker("exec", *self.containers(service), *command)

    def containers(self, service=None):
        """The container of one service, or all of them, running or not."""
        label = "--filter=label=com.docker.compose"
        return docker("ps", "--all", "--quiet", f"{label}.project={self.project}", *[f"{label}.service={service}"] * bool(service)).split()

    def until_healthy(self):
        healthy = lambda: set(self.health().values()) == {"healthy"}  # noqa: E731 (it says what is waited for)
        wait_until(healthy, 120, "not everything is healthy; `docker ps` says what is not")

    def health(self):
        label = "com.docker.compose.service"
        lasting = [one for one in json.loads(docker("inspect", *self.containers())) if "Health" in one["State"]]
        return {one["Config"]["Labels"][label]: one["State"]["Health"]["Status"] for one in lasting}

    def down(self, forget=False):
        if not self.file.exists():
            return
        self.run("down", "--remove-orphans", *(["--volumes"] if forget else []))
        if forget:
            self.file.unlink(missing_ok=True)


def docker(*arguments):
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise Unexpected(f"docker {arguments[0]} failed\n{done.stderr}".rstrip())
    return done.stdout


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

