"""Processes that run beside the load, in a folder of their own, and leave nothing behind."""
import http.client
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import Failed


class Beside:
    """To be used in a `with`: nothing is left running. Whoever inherits from it says what is started (`start`)."""

    # Whether the processes go ahead of whatever else wants their core, which takes root.
    ahead = False

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="firstsight-bench-"))
        self.processes = []
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            end(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self, command, name, core=None, **environment):
        """Starts it on that core, or on any; what it says is its log."""
        with open(self.folder / name, "wb") as log:
            process = subprocess.Popen(
                [*on(core, self.ahead), *(str(part) for part in command)],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the benchmark, which then stops its processes.
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def stop(self, process, sign=signal.SIGTERM):
        """Ends one of them before the others."""
        self.processes.remove(process)
        end(process, sign)

    def until(self, probe, process, name, patience=30):
        deadline = time.monotonic() + patience
        while True:
            try:
                if found := probe():
                    return found
            except (OSError, http.client.HTTPException):
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{name} does not start:\n{self.tail(name)}")
            time.sleep(0.005)

    def port(self, process, name):
        """Where a program of ours listens, as soon as it says so."""
        said = lambda: re.search(r"listening on http://127.0.0.1:(\d+)", self.log(name))  # noqa: E731
        return int(self.until(said, process, name)[1])

    def log(self, name):
        return (self.folder / name).read_text(errors="replace")

    def tail(self, name, lines=25):
        """The end of a log, for whoever asks what went wrong."""
        return "\n".join(self.log(name).splitlines()[-lines:])


def on(core, ahead):
    """What a command starts with to run on that core; `ahead` of whatever else wants it, which takes root."""
    return [*(["taskset", "-c", str(core)] if core is not None else []), *(["chrt", "--rr", "1"] if ahead else [])]


def resident_bytes(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def busy_seconds(process):
    """The processor's time that it took so far, on all cores."""
    times = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def end(process, first=signal.SIGTERM):
    for sign in (first, signal.SIGKILL):
        process.send_signal(sign)
        try:
            process.wait(5)
            return
        except subprocess.TimeoutExpired:
            pass
