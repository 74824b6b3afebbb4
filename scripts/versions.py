#!/usr/bin/env python3
"""Runs a suite with one version of Envoy after the other, and says at the end how it went with each.

    scripts/versions.py 1.36 1.40 -- cargo test --test envoy

The suite is told the proxy by FIRSTSIGHT_ENVOY. Fails if it failed with any of them.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = re.compile(r"^test result: .* (\d+) passed; (\d+) failed; .* (\d+) filtered out; finished in (\d+)")


def main():
    cut = sys.argv.index("--")
    versions, suite = sys.argv[1:cut], sys.argv[cut + 1 :]
    told = [(version, *run(version, suite)) for version in versions]
    print("\n| Envoy | passed | failed | left out | took |\n|---|---|---|---|---|")
    for version, exact, counts in told:
        passed, failed, left_out, seconds = counts or ("did not run", "-", "-", "-")
        print(f"| {version} ({exact}) | {passed} | {failed} | {left_out} | {seconds} s |")
    if any(counts is None or counts[1] != "0" for _, _, counts in told):
        sys.exit("error: the suite does not pass with every version")


def run(version, suite):
    """The exact version, and what the suite says of itself at its end, if it came so far."""
    subprocess.run([sys.executable, ROOT / "scripts" / "setup.py", f"envoy-{version}"], check=True)
    envoy = ROOT / ".setup" / "bin" / f"envoy-{version}"
    exact = subprocess.run([envoy, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    print(f"==> the suite with Envoy {version}", flush=True)
    environment = {**os.environ, "FIRSTSIGHT_ENVOY": str(envoy)}
    counts = None
    with subprocess.Popen(suite, env=environment, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout:
            print(line, end="", flush=True)
            found = RESULT.match(line)
            counts = found.groups() if found else counts
    return exact.split("/")[-4], counts


if __name__ == "__main__":
    main()
