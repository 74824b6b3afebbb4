"""Figures of several rounds, and what they are worth."""
from statistics import median


class Spread:
    """The least, the middle and the most of some figures."""

    def __init__(self, figures):
        self.least, self.middle, self.most = min(figures), median(figures), max(figures)


def ratios(figures, others):
    """Round by round, so that what a round had in common cancels out."""
    return [figure / other for figure, other in zip(figures, others)]
