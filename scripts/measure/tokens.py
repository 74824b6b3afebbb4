"""The tokens that are sent: made once, kept in target/bench/tokens.

COUNT tokens, sent over and over in the same order, are as good as an endless supply. A cache that lets go of what was used
longest ago has let go of each long before it comes again: firstsight's holds 10,000, jwt_authn's 1,000 here. And firstsight
remembers a token the second time it comes, by a note in one of 10,000 slots: another token has taken the slot meanwhile,
but for one in four hundred (e^-6).
"""
import hashlib
import shutil
import subprocess
import time
from collections import namedtuple

from show.screen import doing

from . import BENCH, PROGRAMS, ROOT

COUNT = 60_000
FOLDER = BENCH / "tokens"
SOURCE = ROOT / "bench" / "tokens" / "src" / "main.rs"

# What is sent, and whether it is what it says it is.
Mode = namedtuple("Mode", "what valid")
MODES = {
    "cached": Mode("one token", True),
    "working": Mode("500 tokens", True),
    "rs256": Mode("every request a new token, RS256", True),
    "es256": Mode("every request a new token, ES256", True),
    "forged": Mode("every request a new token with a wrong signature, RS256", False),
}


def file_of(mode):
    return FOLDER / f"{mode}.txt"


def key_set():
    return (FOLDER / "jwks.json").read_text()


def prepare():
    """Makes the tokens unless they are there, from the same source."""
    stamp = FOLDER / "stamp"
    made_from = f"{COUNT} {hashlib.sha256(SOURCE.read_bytes()).hexdigest()}"
    if stamp.exists() and stamp.read_text() == made_from:
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    doing("making the tokens, once: a minute or two")
    now = str(int(time.time()))
    subprocess.run([PROGRAMS / "firstsight-bench-tokens", FOLDER, str(COUNT), now], check=True)
    stamp.write_text(made_from)
