#!/usr/bin/env python3
"""Stands in for `cc` (or `ar`, by its name) where a machine has none: the C compiler that PyPI's `ziglang` carries.

Set up by scripts/setup.py as .setup/bin/cc; passes on what it is asked, less what only GCC understands.
"""
import os
import platform
import sys
from pathlib import Path

SETUP = Path(__file__).absolute().parent.parent
# Its glibc is described to it, so that no headers of this machine are needed; every supported system is newer.
TARGET = f"{platform.machine()}-linux-gnu.2.31"
# Zig brings its own unwinder and start files, and names targets in three words.
REPLACED = {"-lgcc_s": "-lunwind", "-lgcc": None, "-nodefaultlibs": None, "-Wl,-O1": None}


def arguments(given):
    for argument in given:
        replacement = REPLACED.get(argument, argument)
        if replacement is not None and not argument.startswith("--target="):
            yield replacement


def main():
    zig = str(next((SETUP / "venv" / "lib").glob("python*/site-packages/ziglang/zig")))
    os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(SETUP / "zig-cache"))
    os.environ.setdefault("ZIG_LOCAL_CACHE_DIR", str(SETUP / "zig-cache"))
    if Path(sys.argv[0]).name == "ar":
        os.execv(zig, [zig, "ar", *sys.argv[1:]])
    os.execv(zig, [zig, "cc", "-target", TARGET, *arguments(sys.argv[1:])])


if __name__ == "__main__":
    main()
