"""The processes of the demo: issuer, directory, application, Envoy. Starts them, knows when they are ready, stops them.

What runs is written to .run/stack.json, so that another process can stop it.
"""
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from .screen import doing, say
from .web import Unexpected, fetch, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
RUN = ROOT / ".run"
STATE = RUN / "stack.json"
TOKEN = RUN / "directory-token"
DATABASE = RUN / "directory.db"

ISSUER = "127.0.0.1:9000"
DIRECTORY = "127.0.0.1:8090"
APPLICATION = "127.0.0.1:8080"
EDGE = "127.0.0.1:10000"
ADMIN = "127.0.0.1:9901"
ADDRESSES = {
    "issuer": [ISSUER],
    "directory": [DIRECTORY],
    "application": [APPLICATION],
    "envoy": [EDGE, ADMIN],
}


# This build of Envoy ends when the process that started it ends, so `make up` needs one that stays: it passes SIGTERM on
# and ends when Envoy has ended.
KEEPER = ["sh", "-c", '"$@" & child=$!; trap "kill $child" TERM; wait $child; wait $child', "keeper"]


class Stack:
    """Everything that runs, by name."""

    def __init__(self):
        self.running = {}
        self.token = secrets.token_urlsafe(32)
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        companion = target / "debug" / "firstsight"
        self.commands = {
            "issuer": ([companion, "dev", "issuer", "--listen", ISSUER], {}),
            "directory": (
                [companion, "serve", "--listen", DIRECTORY, "--database", f"sqlite:{DATABASE.relative_to(ROOT)}"],
                {"FIRSTSIGHT_TOKEN": self.token},
            ),
            "application": ([companion, "dev", "app", "--listen", APPLICATION], {}),
            "envoy": (
                [*KEEPER, ROOT / ".setup/bin/envoy", "-c", "envoy/envoy.yaml", "--concurrency", "2"]
                + ["--log-level", "warning", "--component-log-level", "wasm:info"],
                {"DIRECTORY_TOKEN": self.token},
            ),
        }

    def start_all(self):
        RUN.mkdir(exist_ok=True)
        refuse_if_running()
        refuse_taken_ports()
        for name in self.commands:
            log_of(name).unlink(missing_ok=True)
        for old in RUN.glob(f"{DATABASE.name}*"):
            old.unlink()
        TOKEN.touch(mode=0o600)
        TOKEN.write_text(self.token)
        for name in self.commands:
            self.start(name)

    def start(self, name):
        command, environment = self.commands[name]
        started = time.monotonic()
        with open(log_of(name), "ab") as log:
            where = log.tell()
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the demo, which then stops its processes in order.
                start_new_session=True,
            )
        self.running[name] = process
        self.write_state()
        wait_until(lambda: self.is_ready(name, where), 60, f"{name} did not become ready", name)
        say(f"    {name:<12} {ADDRESSES[name][0]:<16} ready in {(time.monotonic() - started) * 1000:4.0f} ms")

    def is_ready(self, name, where):
        if self.running[name].poll() is not None:
            raise Unexpected(f"{name} ended at once, with code {self.running[name].returncode}", name)
        if name == "envoy":
            return fetch(f"http://{ADMIN}/ready").status == 200
        with open(log_of(name), "rb") as log:
            log.seek(where)
            return b"listening on http://" in log.read()

    def stop(self, name):
        process = self.running.pop(name)
        end(process.pid, process.poll)
        self.write_state()

    def stop_all(self):
        for name in reversed(list(self.running)):
            self.stop(name)
        STATE.unlink(missing_ok=True)
        TOKEN.unlink(missing_ok=True)

    def restart(self):
        """What keeps nothing, and what keeps everything in its database; the issuer keeps its keys only while it runs."""
        for name in ("envoy", "directory"):
            self.stop(name)
        for name in ("directory", "envoy"):
            self.start(name)
        return "the directory and Envoy"

    def stats(self, pattern):
        """Envoy's counters whose names match."""
        return counters(fetch(f"http://{ADMIN}/stats?filter={quote(pattern)}").body.decode())

    def write_state(self):
        STATE.write_text(json.dumps({name: identity(process.pid) for name, process in self.running.items()}))


def counters(text):
    """What Envoy's administration says of counters: a line of each."""
    return {name: int(value) for name, value in re.findall(r"^(\S+): (\d+)\r?$", text, re.MULTILINE)}


def log_of(name):
    return RUN / f"{name}.log"


def tail(name, lines=25):
    try:
        return log_of(name).read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def identity(pid):
    """A process told apart from a later one with the same number: by when it started."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    zombie = fields[0] == "Z"
    return None if zombie else [pid, fields[19]]


def end(pid, ended, patience=5):
    """Asks a process to stop, and insists if it does not."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if ended() is not None:
                return
            time.sleep(0.02)


def left_running():
    """What an earlier run left: name -> process number. Only what is still the process that was started."""
    try:
        recorded = json.loads(STATE.read_text())
    except (OSError, ValueError):
        return {}
    return {name: known[0] for name, known in recorded.items() if known and identity(known[0]) == known}


def stop_left_running():
    """For `make down`: gives back the names of what was stopped."""
    stopped = left_running()
    for name, pid in reversed(list(stopped.items())):
        end(pid, lambda pid=pid: None if identity(pid) else 0)
    STATE.unlink(missing_ok=True)
    TOKEN.unlink(missing_ok=True)
    return list(stopped)


def refuse_if_running():
    if left_running():
        raise Unexpected("the demo's processes are running already; `make down` stops them")


def refuse_taken_ports():
    taken = []
    for name, addresses in ADDRESSES.items():
        for address in addresses:
            host, port = address.split(":")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, int(port)))
                except OSError:
                    taken.append(f"{address} (for the {name})")
    if taken:
        port = taken[0].split()[0].rpartition(":")[2]
        raise Unexpected(
            f"in use by another program: {', '.join(taken)}.\n"
            f"       Stop that program and try again; `ss -ltnp 'sport = :{port}'` says which it is."
        )


def build():
    """Makes what the stack runs. Each step shows its own progress."""
    steps = {
        "the module": ["scripts/wasm.sh"],
        "the companion: issuer, directory and application": ["cargo", "build", "--locked", "--workspace", "--bins"],
        "Envoy": [os.sys.executable, "scripts/setup.py", "envoy"],
    }
    for what, command in steps.items():
        started = time.monotonic()
        doing(f"preparing {what}")
        if subprocess.call(command, cwd=ROOT):
            raise Unexpected(f"could not prepare {what}; the reason is above")
        say(f"    {time.monotonic() - started:.1f} s")
