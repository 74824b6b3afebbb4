"""What the bursts come to: for each mode and arm its speed, its worker's time for a request, and how it compares."""
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from . import ROOT
from .edge import ENVOY, cores
from .spread import Spread, ratios

# Whom the others are compared with, where they are measured too.
REFERENCES = ("floor", "jwt_authn")


def summary(results):
    return {mode: {name: one(name, bursts) for name in bursts} for mode, bursts in results.items()}


def one(name, bursts):
    def figures(arm, key):
        return [burst[key] for burst in bursts[arm]]

    compared = {
        reference: {
            "by_speed": Spread(ratios(figures(name, "per_second"), figures(reference, "per_second"))).rounded(3),
            # Time is better when there is less of it.
            "by_worker_time": Spread(ratios(figures(reference, "worker_us"), figures(name, "worker_us"))).rounded(3),
        }
        for reference in REFERENCES
        if reference in bursts
    }
    return {
        "per_second": Spread(figures(name, "per_second")).rounded(0),
        "worker_us": Spread(figures(name, "worker_us")).rounded(2),
        "worker_waited": Spread(figures(name, "worker_waited")).rounded(3),
        "compared_with": compared,
    }


def circumstances(options):
    """Where, when and how, as far as figures depend on it."""
    envoy, others = cores()
    return {
        **machine(),
        "cores": {"envoy": envoy, "load": others},
        "rounds": options.rounds,
        "seconds": options.seconds,
        "ahead_of_others": options.ahead,
    }


def machine():
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "commit": output("git", "-C", ROOT, "describe", "--always", "--dirty"),
        "envoy": envoy_version(),
        "cpu": cpu(),
        "kernel": output("uname", "-sr"),
    }


def envoy_version():
    """Of `version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`."""
    found = re.search(r"version: \w+/([^/]+)/", output(ENVOY, "--version"))
    return found[1] if found else "unknown"


def cpu():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


def output(*command):
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip()
