"""Pearson's chi-square test of counts against what was expected, without numpy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, lgamma, log


def fit_p_value(observed: Sequence[int], expected: Sequence[float]) -> float:
    """How likely counts at least as far from `expected` are, by chance alone; at least two cells remain.

    Cells of few are merged: below some 5 the statistic does not follow the distribution (Cochran 1954).
    """
    cells = merge_cells(zip(observed, expected, strict=True))
    statistic = sum((seen - hoped) ** 2 / hoped for seen, hoped in cells)
    return p_value(statistic, len(cells) - 1)


def merge_cells(cells: Iterable[tuple[int, float]], least: float = 5) -> list[tuple[int, float]]:
    """Join cells of (observed, expected), small with small, until at least `least` are expected in each."""
    merged: list[tuple[int, float]] = []
    seen, hoped = 0, 0.0
    for observed, expected in sorted(cells, key=lambda cell: cell[1]):
        seen, hoped = seen + observed, hoped + expected
        if hoped >= least:
            merged.append((seen, hoped))
            seen, hoped = 0, 0.0
    last_seen, last_hoped = merged.pop()
    return [*merged, (last_seen + seen, last_hoped + hoped)]


def p_value(statistic: float, degrees: int) -> float:
    """Pr(chi-square with `degrees` degrees of freedom is at least `statistic`), within 1e-10.

    One minus the lower incomplete gamma function by its series (Abramowitz and Stegun 6.5.29), whose terms
    are all positive.
    """
    shape, x = degrees / 2, statistic / 2
    if x <= 0:
        return 1.0
    log_term = shape * log(x) - x - lgamma(shape + 1)
    if log_term < -50:  # far out on one side, where the first term would vanish
        return 0.0 if x > shape else 1.0
    lower = term = exp(log_term)
    step = 0
    while step < x or term > 1e-17:
        step += 1
        term *= x / (shape + step)
        lower += term
    return max(0.0, 1 - lower)
