"""What scripts/bench.py is made of: tokens, arms, the edge (Envoy and the directory), the load, figures, the report."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PROGRAMS = TARGET / "debug"
BENCH = TARGET / "bench"
DIST = ROOT / "dist"
MODULE = DIST / "firstsight.wasm"


class Failed(Exception):
    """The benchmark cannot go on, and why."""
