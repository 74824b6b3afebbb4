"""Figures, and what each has to be.

>>> percentile([4, 1, 3, 2], 50)
2
>>> percentile(range(1000), 99)
989
>>> Figure("calls", 2.0, "{:.2f}", exactly(1.0)).met
False
>>> Figure("calls", 2.0, "{:.2f}").met is None
True
"""
import math

from show.screen import bold, dim, paint


class Target:
    def __init__(self, words, holds):
        self.words, self.holds = words, holds


def exactly(wanted):
    return Target(f"{wanted}", lambda value: abs(value - wanted) < 1e-9)


def at_most(most, unit=""):
    return Target(f"<= {most}{unit}", lambda value: value <= most)


def at_least(least):
    return Target(f">= {least:,}", lambda value: value >= least)


class Figure:
    """One figure. Without a target it is told for information; `met` is then None."""

    def __init__(self, name, value, form="{:,}", target=None):
        self.name, self.value, self.form, self.target = name, value, form, target
        self.met = target.holds(value) if target else None

    def document(self):
        target = self.target.words if self.target else None
        return {"name": self.name, "value": round(self.value, 3), "target": target, "met": self.met}


def percentile(values, percent):
    """The smallest value that at least so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def table(title, figures):
    width = max(len(figure.name) for figure in figures) + 2
    yield f"\n{bold(title)}"
    for figure in figures:
        line = f"  {figure.name:<{width}}{figure.form.format(figure.value):>14}"
        if figure.target:
            line += f"   {figure.target.words:<14}" + (paint("32", "met") if figure.met else paint("31", "missed"))
        yield line if figure.target else dim(line)
