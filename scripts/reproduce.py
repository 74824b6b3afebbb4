#!/usr/bin/env python3
"""Builds module and image twice, and compares: `make reproduce`. Each build has a clean clone of HEAD in a folder of its own,
with a CARGO_HOME, a target folder and a .setup of its own; what differs then would be of the place, not of the source.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE = ["firstsight.wasm", "firstsight-image.tar"]


def main():
    if subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, check=True).stdout:
        say("what is not committed is not built: clones are of HEAD")
    with tempfile.TemporaryDirectory(prefix="firstsight-") as folder:
        places = [Path(folder) / "one", Path(folder) / "another" / "and-deeper"]
        for place in places:
            build(place)
        digests = [[digest(place / "clone" / "dist" / name) for name in MADE] for place in places]
        if digests[0] != digests[1]:
            for place in places:
                shutil.copy(place / "clone" / "dist" / MADE[0], ROOT / "dist" / f"reproduce-{place.name}.wasm")
            sys.exit("error: two builds of one commit differ; both modules are in dist/")
    for name, ours in zip(MADE, digests[0]):
        print(f"{ours}  {name}")
        here = ROOT / "dist" / name
        if here.exists():
            same = digest(here) == ours
            say(f"dist/{name} is {'the same' if same else 'another: it was built from something else'}")


def build(place):
    """Builds module and image of a clean clone."""
    started = time.monotonic()
    clone, home = place / "clone", place / "cargo"
    home.mkdir(parents=True)
    # Where the machine fetches crates from is no part of the build.
    settings = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "config.toml"
    if settings.exists():
        shutil.copy(settings, home)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
    environment = {**os.environ, "CARGO_HOME": str(home), "CARGO_TARGET_DIR": str(place / "target")}
    for command in (["scripts/wasm.sh"], [sys.executable, "scripts/image.py"]):
        subprocess.run(command, cwd=clone, env=environment, check=True)
    say(f"built in {clone} in {time.monotonic() - started:.0f} s")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def say(text):
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    main()
