"""Bursts of requests, by wrk on the core that Envoy does not have, and what they cost Envoy's worker."""
import json
import shutil
import subprocess

from . import ROOT, Failed
from .beside import on
from .edge import cores
from .tokens import MODES, file_of

PROGRAM = shutil.which("wrk") or str(ROOT / ".setup" / "bin" / "wrk")
SCRIPT = ROOT / "bench" / "load.lua"
# As many as keep the worker busy all the time.
CONNECTIONS = 32
BROKEN = ("failures to connect", "to read", "to write", "time-outs")


class Load:
    """Sends bursts. Each goes on in its file where the arm's last one in that mode ended, so that no cache sees an order
    other than the file's."""

    def __init__(self, edge):
        self.edge = edge
        self.positions = {}

    def burst(self, arm, mode, seconds):
        place = (arm.name, mode)
        before = self.edge.worker()
        told = self.send(arm, file_of(mode), seconds, self.positions.get(place, 0))
        running, waiting = (after - earlier for after, earlier in zip(self.edge.worker(), before))
        self.positions[place] = told["position"]
        self.check(arm, mode, told)
        return {
            "per_second": told["requests"] / told["microseconds"] * 1e6,
            "worker_us": running / 1e3 / told["requests"],
            "worker_waited": waiting / (running + waiting),
            "p50_us": told["p50"],
            "p99_us": told["p99"],
            "requests": told["requests"],
        }

    def send(self, arm, file, seconds, position):
        port = self.edge.ports[arm.name]
        command = [*on(cores()[1], self.edge.ahead), PROGRAM, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-s", str(SCRIPT)]
        command += [f"http://127.0.0.1:{port}", "--", str(file), str(position)]
        return wrk(command, self.edge.tail)

    def check(self, arm, mode, told):
        """Every answer has to be the right one."""
        wrong = told["requests"] - told["refused"] if refuses(arm, mode) else told["refused"]
        if wrong or any(told["broken"]) or not told["requests"]:
            broken = ", ".join(f"{count} {what}" for count, what in zip(told["broken"], BROKEN))
            raise Failed(
                f"{arm.name}, {mode}: of {told['requests']} answers {wrong} are wrong; wrk tells of {broken}\n"
                f"{self.edge.tail()}"
            )


def wrk(command, tail):
    """What wrk, run like this, tells in its last line. `tail()` tells what else there is to know if it fails."""
    run = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    if run.returncode or not lines:
        raise Failed(f"wrk failed: {run.stderr or run.stdout}\n{tail()}")
    return json.loads(lines[-1])


def refuses(arm, mode):
    return arm.checks and not MODES[mode].valid
