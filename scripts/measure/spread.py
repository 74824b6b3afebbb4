"""Figures of several rounds, and what they are worth.

>>> Spread([3.0, 1.0, 2.0]).words("{:.1f}")
'2.0 (1.0 - 3.0)'
>>> ratios([10.0, 30.0], [20.0, 20.0])
[0.5, 1.5]
"""
from statistics import median


class Spread:
    """The least, the middle and the most of some figures."""

    def __init__(self, figures):
        self.least, self.middle, self.most = min(figures), median(figures), max(figures)

    def words(self, form):
        return f"{form.format(self.middle)} ({form.format(self.least)} - {form.format(self.most)})"

    def rounded(self, digits):
        return {name: round(getattr(self, name), digits) for name in ("least", "middle", "most")}


def ratios(figures, others):
    """Round by round: what a round did to both cancels out."""
    return [figure / other for figure, other in zip(figures, others)]
