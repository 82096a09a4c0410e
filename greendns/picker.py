"""Weights -> the indexes of the records to answer with: weighted choice without replacement.

Pure, and on the hot path: knows no records, no configuration and no source of randomness; the caller
hands that in. The weights lie one after the other on a line, `bounds[i]` to `bounds[i + 1]` belongs to
record i, and a draw is a point on what is left of the line. So each draw is exact, and none is rejected
and tried again: an alias table with rejection loops where one weight of 10,000 stands among ones.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Union

from .chance import Uniform

# draw(n) returns a uniform integer in 0 <= x < n.
Draw = Callable[[int], int]

# 64-bit cells, one after the other.
Bounds = Union[memoryview, "array[int]"]

# Measured, compiled: 24 of 64 records take 6.2 us by cuts and 5.2 by the tree, all of them 95 and 14; 24 of 5,000 take
# 5.5 and 18.5, since the tree is as large as the label.
CUTS_MAX = 24
# What a cell of `bounds` holds. Weights are at most 2^31 each (codes.WEIGHT_MAX).
SUM_MAX = 2**63 - 1


class Line:
    """The bounds of choices, one behind the other in one array."""

    __slots__ = ("cells",)

    def __init__(self, cells: array[int]) -> None:
        self.cells = memoryview(cells)


class WeightedChoice:
    """A label's weights, made ready once so that a pick costs about the same from 5 records and from 5,000.

    weights  non-negative integers, possibly none; index i is record i
    cells    64-bit cells that more choices share: the bounds are put at their end, and `settle` must be called with
             all of them before the first pick; one array for a whole zone is smaller and nearer to the processor
    Raises ValueError for a negative weight, and for a sum beyond SUM_MAX. Never changes, and is not meant to be
    subclassed.
    """

    # _line       has the bounds of the positive weights from _first on
    # _indexes    of the positive weights, in their order, then of the zeros; None where no weight is zero
    # _zeros      how to choose among the zeros, each as likely as the others; None without any
    __slots__ = ("_first", "_indexes", "_line", "_positives", "_zeros")

    def __init__(self, weights: Sequence[int], cells: array[int] | None = None) -> None:
        positives = [weight for weight in weights if weight]
        bounds = _sum_up(positives)
        self._first = 0 if cells is None else len(cells)
        self._line: Line | None = None
        if cells is None:
            self._line = Line(bounds)
        else:
            cells.extend(bounds)
        self._positives = len(positives)
        self._indexes: array[int] | None = None
        self._zeros: WeightedChoice | None = None
        if self._positives < len(weights):
            # A stable sort: by whether a weight is zero.
            self._indexes = array("I", sorted(range(len(weights)), key=lambda index: not weights[index]))
            self._zeros = WeightedChoice((1,) * (len(weights) - self._positives))

    def settle(self, line: Line) -> None:
        """Take the bounds from a line of the cells that they were put into."""
        self._line = line

    def __len__(self) -> int:
        return self._positives if self._indexes is None else len(self._indexes)

    def _bounds(self) -> memoryview:
        assert self._line is not None, "a choice that shares its cells must be settled"
        return self._line.cells[self._first : self._first + self._positives + 1]

    def weights(self) -> tuple[int, ...]:
        """The weights that it was made of, in their order."""
        bounds = self._bounds()
        weights = [0] * len(self)
        for position in range(self._positives):
            weights[self._index(position)] = bounds[position + 1] - bounds[position]
        return tuple(weights)

    def pick(self, count: int, draw: Draw) -> list[int]:
        """Choose up to `count` distinct indexes, in the order drawn; a count beyond the records gives all.

        Each draw is in proportion to its weight among what is left. Zero weights are drawn only after
        all positive ones, each as likely as the others.
        Raises ValueError for a negative count.
        """
        if count < 0:
            raise ValueError("count must not be negative")
        picks = _draw_up_to(count, self._positives, self._bounds(), draw)
        if self._indexes is None:
            return picks
        if count > self._positives and self._zeros is not None:
            picks += [self._positives + position for position in self._zeros.pick(count - self._positives, draw)]
        return [self._index(position) for position in picks]

    def _index(self, position: int) -> int:
        """The record that stands at a position: positive weights first."""
        return position if self._indexes is None else self._indexes[position]


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


def draw_by_cuts(bounds: Bounds, count: int, draw: Draw) -> list[int]:
    """Draw `count` positions from the line by cutting out what was drawn: for few.

    bounds  64-bit cells, ascending from 0; position i lies between bounds[i] and bounds[i + 1]
    count   at most the number of positions
    A draw takes O(count + log positions) steps.
    """
    drawn: list[int] = []
    left = bounds[len(bounds) - 1]
    for _ in range(count):
        position = _find(bounds, _step_over(bounds, drawn, _below(draw, left)))
        left -= bounds[position + 1] - bounds[position]
        drawn.append(position)
    return drawn


def _below(draw: Draw, n: int) -> int:
    """One draw; of our own random source without the detour of a Python call."""
    if isinstance(draw, Uniform):
        uniform = draw
        return uniform.below(n)
    return draw(n)


def _find(bounds: Bounds, point: int) -> int:
    """The position on which a point of the line falls, by halving.

    Written out for the compiler: `bisect` makes an object of each cell that it looks at.
    """
    low = 0
    high = len(bounds) - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if bounds[middle] <= point:
            low = middle
        else:
            high = middle
    return low


def _step_over(bounds: Bounds, drawn: list[int], point: int) -> int:
    """The point of the whole line that is `point` on the line without what was drawn.

    Every drawn interval that starts at or before the point moves it on by its width, which may bring it to further
    ones: so until nothing moves, which is once or twice where few were drawn.
    """
    moved = point
    while True:
        reached = point
        for position in drawn:
            if bounds[position] <= moved:
                reached += bounds[position + 1] - bounds[position]
        if reached == moved:
            return moved
        moved = reached


def draw_by_tree(bounds: Bounds, count: int, draw: Draw) -> list[int]:
    """Draw exactly what `draw_by_cuts` draws, in O(log positions) steps a draw: for many.

    A Fenwick tree (Fenwick 1994) whose node n covers the positions n - lowbit(n) to n - 1. It holds only
    what was taken away: what was there before is a difference of bounds, so that nothing has to be built.
    """
    drawn: list[int] = []
    size = len(bounds) - 1
    taken = [0] * (size + 1)
    left = bounds[size]
    for _ in range(count):
        position = _descend(bounds, taken, _below(draw, left))
        width = bounds[position + 1] - bounds[position]
        left -= width
        _take(taken, position, width)
        drawn.append(position)
    return drawn


def _descend(bounds: Bounds, taken: list[int], point: int) -> int:
    """The position that `point` falls on, on the line without what was taken."""
    size = len(bounds) - 1
    position = 0
    step = 1
    while step <= size >> 1:
        step <<= 1
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


def _draw_up_to(count: int, size: int, bounds: Bounds, draw: Draw) -> list[int]:
    """Draw `count` positions of `size`, or all if there are fewer, the cheaper way."""
    if count > size:
        count = size
    if size == 1:
        return [0] * count
    return draw_by_cuts(bounds, count, draw) if count <= CUTS_MAX else draw_by_tree(bounds, count, draw)


def _sum_up(positives: Iterable[int]) -> array[int]:
    """The bounds of a line: unlike objects, cells stay shared after a fork when they are read."""
    bounds = array("q", [0])
    try:
        bounds.extend(accumulate(positives))
    except OverflowError:
        raise ValueError(f"weights must not sum to more than {SUM_MAX}") from None
    if bounds[-1] < 0 or any(weight < 0 for weight in positives):
        raise ValueError("weights must not be negative")
    return bounds
