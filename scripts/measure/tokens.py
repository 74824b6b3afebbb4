"""The tokens that are sent: made once, kept in target/bench/tokens.

COUNT tokens, sent over and over in the same order, are as good as an endless supply. A cache that lets go of what was used
longest ago has let go of each long before it comes again: firstsight's holds 10,000, jwt_authn's 1,000 here. And firstsight
remembers a token the second time it comes, by a note in one of 10,000 slots: another token has taken the slot meanwhile,
but for one in four hundred (e^-6).
"""
import hashlib
import shutil
import time
from collections import namedtuple

from show.screen import doing

from . import BENCH, PROGRAMS, ROOT
from .session import run

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
    make("modes", FOLDER, COUNT)


def make(what, folder, count):
    """Makes that many tokens, or subjects with one each, unless there are as many from the same source."""
    stamp = folder / "stamp"
    source = hashlib.sha256(SOURCE.read_bytes()).hexdigest()
    if stamp.exists():
        made, made_from = stamp.read_text().split()
        if made_from == source and int(made) >= count:
            return
    shutil.rmtree(folder, ignore_errors=True)
    doing(f"making {count:,} tokens, once: a minute or two")
    run(["cargo", "build", "--quiet", "--locked", "--package", "firstsight-bench-tokens"])
    run([PROGRAMS / "firstsight-bench-tokens", what, folder, count, int(time.time())])
    stamp.write_text(f"{count} {source}")
