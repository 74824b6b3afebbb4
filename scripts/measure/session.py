"""How a measurement runs: alone on the machine, with everything built that it needs, and cleaned up when it is stopped."""
import fcntl
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from show.screen import doing, failed, say

from . import ROOT, Failed

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def session(work):
    """Runs it, and ends the program if it fails."""
    for sign in SIGNALS:
        signal.signal(sign, interrupted)
    try:
        with alone():
            work()
    except Failed as problem:
        failed(str(problem))
        sys.exit(1)
    except KeyboardInterrupt:
        say("\ninterrupted")
        sys.exit(1)


@contextmanager
def alone():
    """One benchmark at a time on a machine: two would measure each other."""
    with open(Path(tempfile.gettempdir()) / "firstsight-bench.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            doing("another benchmark runs on this machine: waiting for its end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def interrupted(*_):
    # A second Ctrl-C may not keep the first from cleaning up.
    for sign in SIGNALS:
        signal.signal(sign, signal.SIG_IGN)
    raise KeyboardInterrupt


def module(package, path, always=False):
    """Builds a package's module if it is missing."""
    if always or not path.exists():
        run(["scripts/wasm.sh", package, path], quiet=True)


def run(command, quiet=False):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=quiet, text=True)
    if done.returncode:
        raise Failed(f"could not prepare the benchmark: {' '.join(str(part) for part in command)}\n{done.stderr or ''}")
