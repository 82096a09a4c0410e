"""Weights -> the indexes of the records to answer with: weighted choice without replacement.

Pure, and on the hot path: knows no records, no configuration and no source of randomness; the caller
hands that in. The weights lie one after the other on a line, `bounds[i]` to `bounds[i + 1]` belongs to
record i, and a draw is a point on what is left of the line. So each draw is exact, and none is rejected
and tried again: an alias table with rejection loops where one weight of 10,000 stands among ones.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

# draw(n) returns a uniform integer in 0 <= x < n.
Draw = Callable[[int], int]

# Cuts cost count^2 / 2 steps, a tree 2 * count * log2(records). In Python they meet at 30 to 70 picks.
CUTS_MAX = 64


class WeightedChoice:
    """A label's weights, made ready once so that a pick costs about the same from 5 records and from 5,000.

    weights  non-negative integers, possibly none; index i is record i
    Raises ValueError for a negative weight. Never changes, and is not meant to be subclassed.
    """

    __slots__ = ("_bounds", "_positives", "_zeros")

    def __init__(self, weights: Sequence[int]) -> None:
        if min(weights, default=0) < 0:
            raise ValueError("weights must not be negative")
        self._positives = _pack(index for index, weight in enumerate(weights) if weight)
        self._zeros = _pack(index for index, weight in enumerate(weights) if not weight)
        self._bounds = _pack(accumulate((weights[index] for index in self._positives), initial=0))

    def pick(self, count: int, draw: Draw) -> list[int]:
        """Choose up to `count` distinct indexes, in the order drawn; a count beyond the records gives all.

        Each draw is in proportion to its weight among what is left. Zero weights are drawn only after
        all positive ones, each as likely as the others.
        Raises ValueError for a negative count.
        """
        if count < 0:
            raise ValueError("count must not be negative")
        positives = self._positives
        picks = [positives[at] for at in _draw_up_to(count, self._bounds, draw)]
        if count > len(positives) and self._zeros:
            picks += self._pick_zeros(count - len(positives), draw)
        return picks

    def _pick_zeros(self, count: int, draw: Draw) -> list[int]:
        """Choose among the records of weight zero: on a line where each counts as 1."""
        zeros = self._zeros
        return [zeros[at] for at in _draw_up_to(count, range(len(zeros) + 1), draw)]


def pick_weighted(weights: Sequence[int], count: int, draw: Draw) -> list[int]:
    """Choose up to `count` distinct indexes, each draw in proportion to its weight.

    weights  non-negative integers; index i is record i
    draw     draw(n) returns a uniform integer in 0 <= x < n
    Returns indexes in the order drawn. A zero weight is drawn only when no positive one is left.
    Raises ValueError for a negative weight or count.

    >>> pick_weighted((10, 0, 5), 2, draw=lambda n: 0)
    [0, 2]
    """
    return WeightedChoice(weights).pick(count, draw)


def effective_weights(weights: Sequence[int]) -> tuple[int, ...]:
    """The weights as A, AAAA and CNAME use them: if all are zero, each counts as 1.

    >>> effective_weights((0, 0))
    (1, 1)
    """
    return tuple(weights) if any(weights) else (1,) * len(weights)


def draw_by_cuts(bounds: Sequence[int], count: int, draw: Draw) -> list[int]:
    """Draw `count` positions from the line by cutting out what was drawn: for few.

    bounds  ascending from 0; position i lies between bounds[i] and bounds[i + 1]
    count   at most the number of positions
    A draw takes O(count + log positions) steps.
    """
    drawn: list[int] = []
    cuts: list[int] = []
    left = bounds[-1]
    for _ in range(count):
        position = bisect_right(bounds, _step_over_cuts(bounds, cuts, draw(left))) - 1
        left -= bounds[position + 1] - bounds[position]
        insort(cuts, position)
        drawn.append(position)
    return drawn


def _step_over_cuts(bounds: Sequence[int], cuts: list[int], point: int) -> int:
    """The point of the whole line that is `point` on the line without `cuts`, which are ascending."""
    for cut in cuts:
        if bounds[cut] > point:
            return point
        point += bounds[cut + 1] - bounds[cut]
    return point


def draw_by_tree(bounds: Sequence[int], count: int, draw: Draw) -> list[int]:
    """Draw exactly what `draw_by_cuts` draws, in O(log positions) steps a draw: for many.

    A Fenwick tree (Fenwick 1994) whose node n covers the positions n - lowbit(n) to n - 1. It holds only
    what was taken away: what was there before is a difference of bounds, so that nothing has to be built.
    """
    drawn: list[int] = []
    taken = [0] * len(bounds)
    left = bounds[-1]
    for _ in range(count):
        position = _descend(bounds, taken, draw(left))
        width = bounds[position + 1] - bounds[position]
        left -= width
        _take(taken, position, width)
        drawn.append(position)
    return drawn


def _descend(bounds: Sequence[int], taken: list[int], point: int) -> int:
    """The position that `point` falls on, on the line without what was taken."""
    size = len(bounds) - 1
    position = 0
    step = 1 << size.bit_length() >> 1
    while step:
        node = position + step
        step >>= 1
        if node > size:
            continue
        covered = bounds[node] - bounds[position] - taken[node]
        if point >= covered:
            point -= covered
            position = node
    return position


def _take(taken: list[int], position: int, width: int) -> None:
    """Note in every node above `position` that its `width` is gone."""
    node = position + 1
    while node < len(taken):
        taken[node] += width
        node += node & -node


def _draw_up_to(count: int, bounds: Sequence[int], draw: Draw) -> list[int]:
    """Draw `count` positions, or all if there are fewer, the cheaper way."""
    size = len(bounds) - 1
    count = min(count, size)
    if size == 1:
        return [0] * count
    if count == 1:
        return [bisect_right(bounds, draw(bounds[-1])) - 1]
    return draw_by_cuts(bounds, count, draw) if count <= CUTS_MAX else draw_by_tree(bounds, count, draw)


def _pack(numbers: Iterable[int]) -> Sequence[int]:
    """Keep numbers as 64-bit cells where they fit: unlike objects they stay shared after a fork when read."""
    kept = tuple(numbers)
    try:
        return array("Q", kept)
    except OverflowError:
        return kept
