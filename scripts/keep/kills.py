"""Whether anything that was answered is lost when the directory is killed again and again while people arrive. The test of
the directory that does it a few times does it here as often as wanted."""
import json
import os
import subprocess

from arrive.figures import Figure, exactly
from measure import ROOT, Failed

TEST = "kills::what_was_answered_outlives_kills_once_and_with_its_record"
COMMAND = "cargo test --quiet --locked --package firstsight-companion --test http --".split()


def title(options):
    return f"kills: kill -9 at {options.kills:,} random points of {options.arrivals:,} arrivals, SQLite"


def measure(options):
    environment = {name: value for name, value in os.environ.items() if name != "FIRSTSIGHT_POSTGRES"}
    environment |= {"FIRSTSIGHT_KILLS": str(options.kills), "FIRSTSIGHT_ARRIVALS": str(options.arrivals)}
    command = [*COMMAND, "--exact", TEST, "--nocapture"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    told = [json.loads(line) for line in run.stderr.splitlines() if line.startswith("{")]
    if run.returncode or not told:
        raise Failed(f"what was answered does not outlive kills:\n{run.stdout[-2000:]}{run.stderr[-4000:]}")
    # The test fails if anything is lost, twice, or without its record, or if the chain is not whole.
    return [
        Figure("kills", told[0]["kills"], target=exactly(options.kills)),
        Figure("arrivals answered and found once, with their record", told[0]["found"], target=exactly(options.arrivals)),
        Figure("arrivals without an answer, asked again", told[0]["asked_again"]),
    ]
