"""The results as a table."""
from .spread import Spread, ratios
from .tokens import MODES

# What others are compared with.
REFERENCES = ("floor", "jwt_authn")


def table(results):
    lines = []
    for mode, arms in results.items():
        references = [name for name in REFERENCES if name in arms]
        lines += ["", f"{mode}: {MODES[mode][0]}"]
        heads = "".join(f"{'x ' + name:>22}{'by CPU':>8}" for name in references)
        lines.append(f"  {'':<18}{'req/s':>8}{'least':>8}{'most':>8}{'CPU us':>8}{'waited':>8}{heads}")
        for name, bursts in arms.items():
            speed = Spread([burst["per_second"] for burst in bursts])
            cpu = Spread([burst["worker_us"] for burst in bursts])
            waited = max(burst["worker_waited"] for burst in bursts)
            line = f"  {name:<18}{speed.middle:8.0f}{speed.least:8.0f}{speed.most:8.0f}{cpu.middle:8.1f}{waited:8.0%}"
            for reference in references:
                by_speed = Spread(ratios(*([b["per_second"] for b in arms[n]] for n in (name, reference))))
                by_cpu = Spread(ratios(*([b["worker_us"] for b in arms[n]] for n in (reference, name))))
                line += f"{by_speed.middle:8.2f} ({by_speed.least:.2f} - {by_speed.most:.2f}){by_cpu.middle:8.2f}"
            lines.append(line)
    return "\n".join(lines)
