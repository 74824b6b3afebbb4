"""The results as they are read: a table for the terminal."""
from show.screen import bold, dim

from .summary import REFERENCES
from .tokens import MODES


def tables(modes):
    return "\n".join(line for mode, arms in modes.items() for line in table(mode, arms))


def table(mode, arms):
    references = [name for name in REFERENCES if name in arms]
    width = max(len(name) for name in arms) + 2
    heads = "".join(f"{'x ' + name:>24}{'by time':>9}" for name in references)
    yield f"\n{bold(mode)}: {MODES[mode].what}"
    yield dim(f"  {'':<{width}}{'req/s':>8}{'least':>8}{'most':>8}{'us/req':>9}{heads}")
    for name, arm in arms.items():
        speed = arm["per_second"]
        line = f"  {name:<{width}}" + "".join(f"{speed[key]:8.0f}" for key in ("middle", "least", "most"))
        line += f"{arm['worker_us']['middle']:9.1f}"
        for reference in references:
            by = arm["compared_with"][reference]
            spread = "{middle:.2f} ({least:.2f} - {most:.2f})".format(**by["by_speed"])
            line += f"{spread:>24}{by['by_worker_time']['middle']:9.2f}"
        yield bold(line) if name.startswith("firstsight") else line


def legend(modes):
    waited = max(arm["worker_waited"]["most"] for arms in modes.values() for arm in arms.values())
    return dim(
        "\n  req/s: the middle, least and most of the rounds. us/req: the worker thread's own time for a request.\n"
        "  x …: how many times that arm's figure, round by round: by req/s, and by the worker's time (more is better).\n"
        f"  Other work had Envoy's core for up to {waited:.0%} of a measurement."
        + (" The worker's time is then the better measure." if waited > 0.05 else "")
    )


def of_firstsight(facts):
    """What was measured of firstsight alone."""
    calls = {
        name: ", ".join(f"{call} x{count}" if count > 1 else call for call, count in ways["vm->host"].items())
        for name, ways in facts["host_calls"].items()
    }
    entered = facts["host_calls"]["firstsight"]["host->vm"]
    module, start, memory = facts["module"], facts["start"], facts["memory"]
    lines = [
        ("host calls", f"{calls['firstsight']} for a request with a known token"),
        ("", f"(the floor's: {calls['floor']})"),
        ("callbacks", ", ".join(entered)),
        ("module", f"{module['bytes'] / 2**20:.2f} MiB, {module['gzip_bytes'] / 2**20:.2f} MiB compressed"),
        ("start", f"compiled in {start['listening_ms']:.0f} ms, while Envoy goes on serving;"),
        ("", f"{start['serving_ms'] - start['listening_ms']:.0f} ms later the first subject is provisioned and served"),
        ("memory", f"{memory['grown_bytes'] / 2**20:.1f} MiB more, resident, with {memory['tokens']:,} tokens cached in a worker"),
    ]
    return f"\n{bold('firstsight alone')}\n" + "\n".join(f"  {name:<12}{text}" for name, text in lines)


def where(circumstances):
    by = "ahead of other work, " if circumstances["ahead_of_others"] else ""
    return dim(
        "\n  {date}, {commit}, Envoy {envoy}, {cpu}, {kernel}; {rounds} rounds of {seconds} s, ".format(**circumstances)
        + f"{by}Envoy's one worker on one core, the load on another"
    )
