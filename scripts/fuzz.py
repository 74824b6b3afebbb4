#!/usr/bin/env python3
"""Builds the fuzz targets and runs each for some seconds, as many at a time as there are cores.

    scripts/fuzz.py SECONDS [TARGET...]

What cargo-fuzz does (`cargo fuzz run -s none TARGET` within fuzz/), with no more than cargo and a C++ compiler: the
counters that guide libFuzzer are a pass of the stable compiler, and without `unsafe` there is nothing to sanitise.
Inputs that were worth keeping stay in fuzz/corpus/, findings in fuzz/artifacts/.
"""
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUZZ = ROOT / "fuzz"
TARGETS = sorted(path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs"))
COVERAGE = [
    "-Cpasses=sancov-module",
    *(f"-Cllvm-args=-sanitizer-coverage-{what}" for what in ("level=4", "inline-8bit-counters", "pc-table", "trace-compares")),
    "--cfg=fuzzing",
]


def main():
    seconds, chosen = int(sys.argv[1]), sys.argv[2:] or TARGETS
    for name in chosen:
        if name not in TARGETS:
            sys.exit(f"error: there is no target {name}; there is: {' '.join(TARGETS)}")
    if not shutil.which(os.environ.get("CXX", "c++").split()[-1]):
        say("no fuzzing: libFuzzer is C++, and this machine has no `c++`; on Debian and Ubuntu: apt install g++")
        return
    programs = build()
    at_a_time = os.cpu_count() or 1
    say(f"fuzzing {len(chosen)} targets for {seconds} s each, {at_a_time} at a time")
    with ThreadPoolExecutor(at_a_time) as pool:
        sound = list(pool.map(lambda name: fuzz(name, programs / name, seconds), chosen))
    if not all(sound):
        sys.exit(1)


def build():
    host = next(
        line.removeprefix("host: ")
        for line in subprocess.check_output(["rustc", "-vV"], text=True, cwd=FUZZ).splitlines()
        if line.startswith("host: ")
    )
    # Counters belong into the targets alone, not into build scripts: so the target is named.
    command = ["cargo", "build", "--locked", "--release", "--target", host]
    flags = {"RUSTFLAGS": " ".join(COVERAGE), "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(COVERAGE)}
    if subprocess.call(command, cwd=FUZZ, env={**os.environ, **flags}):
        sys.exit("error: the fuzz targets do not build")
    return Path(os.environ.get("CARGO_TARGET_DIR", FUZZ / "target")).absolute() / host / "release"


def fuzz(name, program, seconds):
    """Runs one target; says what came of it, and returns whether nothing was found."""
    corpus, artifacts = FUZZ / "corpus" / name, FUZZ / "artifacts" / name
    for folder in (corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    plant(name, corpus)
    command = [program, corpus, f"-max_total_time={seconds}", f"-artifact_prefix={artifacts}/"]
    # Long enough for a busy machine: what takes this long is a finding.
    command += ["-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"]
    words = FUZZ / "seeds" / f"{name}.dict"
    if words.exists():
        command.append(f"-dict={words}")
    started = time.monotonic()
    result = subprocess.run(command, cwd=FUZZ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    told = result.stdout.decode(errors="replace").splitlines()
    if result.returncode == 0:
        runs = next((line.split()[-1] for line in told if "number_of_executed_units" in line), "?")
        say(f"{name}: {int(runs):,} inputs in {time.monotonic() - started:.0f} s, nothing found")
        return True
    found = next((line.split()[-1] for line in told if "Test unit written to" in line), "an input that was not kept")
    start = next((at for at, line in enumerate(told) if "panicked at" in line or "ERROR: libFuzzer" in line), 0)
    say(f"{name}: FOUND {found}")
    print("\n".join(told[start : start + 12]), flush=True)
    print(f"    again: {os.path.relpath(program)} {os.path.relpath(found)}", flush=True)
    return False


def plant(name, corpus):
    """Writes the seeds of a target, which stand in one file between lines of three dashes."""
    seeds = FUZZ / "seeds" / f"{name}.txt"
    if seeds.exists():
        for number, seed in enumerate(seeds.read_text().removesuffix("\n").split("\n---\n")):
            (corpus / f"seed-{number}").write_text(seed)


def say(text):
    # In one piece, as several targets speak at a time.
    print(f"==> {text}\n", end="", flush=True)


if __name__ == "__main__":
    main()
