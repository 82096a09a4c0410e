"""Weights -> the indexes of the records to answer with: weighted choice without replacement.

Pure, and on the hot path: knows no records, no configuration and no source of randomness; the caller hands that in.
The weights lie one after the other on a line, `bounds[i]` to `bounds[i + 1]` belongs to position i, and a draw is a
point on what is left of the line. So each draw is exact, and none is rejected and tried again: an alias table with
rejection loops where one weight of 10,000 stands among ones.

A choice is packed into cells, so that it can stand beside the records that it chooses from:

    positive weights | shift of the guide | place of the order | place of the zeros | bounds | guide | order | zeros

Places count from the first of these cells; 0 is none. The *guide* tells for every 2^shift-th point of a long line on
which position it falls, so that a search begins with a handful of neighbours and not with all (Chen and Asau 1974). The
*order* is there where some weights are zero: the record at each position, positive weights first. The *zeros* are
another choice, of as many ones.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import accumulate

from .chance import Uniform
from .image import Image

# draw(n) returns a uniform integer in 0 <= x < n.
Draw = Callable[[int], int]

# Measured, compiled: 24 of 64 records take 6.2 us by cuts and 5.2 by the tree, all of them 95 and 14; 24 of 5,000 take
# 5.5 and 18.5, since the tree is as large as the label.
CUTS_MAX = 24
# What a cell of `bounds` holds. Weights are at most 2^31 each (codes.WEIGHT_MAX).
SUM_MAX = 2**63 - 1
# From how many positions on a line has a guide, and how many of them fall to one of its cells, at most: the bounds of
# eight fill one line of the processor's cache.
GUIDED_MIN = 32
_GUIDED_PER_CELL = 8

# Where the parts of a choice stand.
_POSITIVES, _SHIFT, _ORDER, _ZEROS, _BOUNDS = 0, 1, 2, 3, 4
_CUTS_MAX = CUTS_MAX


def encode_choice(weights: Sequence[int]) -> array[int]:
    """The cells of a choice.

    weights  non-negative integers, possibly none; index i is record i
    Raises ValueError for a negative weight, and for a sum beyond SUM_MAX.
    """
    positives = weights if 0 not in weights else [weight for weight in weights if weight]
    bounds = _sum_up(positives)
    shift = _guide_shift(bounds)
    cells = array("q", (len(positives), shift, 0, 0)) + bounds
    if shift:
        cells.extend(_encode_guide(bounds, shift))
    if len(positives) < len(weights):
        cells[_ORDER] = len(cells)
        # A stable sort: by whether a weight is zero.
        cells.extend(sorted(range(len(weights)), key=lambda index: not weights[index]))
        cells[_ZEROS] = len(cells)
        cells.extend(encode_choice((1,) * (len(weights) - len(positives))))
    return cells


def _sum_up(positives: Sequence[int]) -> array[int]:
    if min(positives, default=0) < 0:
        raise ValueError("weights must not be negative")
    try:
        return array("q", accumulate(positives, initial=0))
    except OverflowError:
        raise ValueError(f"weights must not sum to more than {SUM_MAX}") from None


def _guide_shift(bounds: array[int]) -> int:
    """So that one cell of the guide stands for at most _GUIDED_PER_CELL positions, in the mean; 0 without a guide."""
    size = len(bounds) - 1
    if size < GUIDED_MIN:
        return 0
    return (bounds[size] // (size // _GUIDED_PER_CELL)).bit_length() - 1


def _encode_guide(bounds: array[int], shift: int) -> array[int]:
    """The position on which each 2^shift-th point falls, and at the end the last position."""
    guide = array("q")
    position = 0
    for point in range(0, bounds[-1], 1 << shift):
        while bounds[position + 1] <= point:
            position += 1
        guide.append(position)
    guide.append(len(bounds) - 2)
    return guide


def weights_of(image: Image, at: int) -> tuple[int, ...]:
    """The weights that the choice at `at` was made of, in their order."""
    numbers = image.numbers
    positives = numbers[at + _POSITIVES]
    weights = [numbers[at + _BOUNDS + place + 1] - numbers[at + _BOUNDS + place] for place in range(positives)]
    if not numbers[at + _ORDER]:
        return tuple(weights)
    zeros = numbers[at + numbers[at + _ZEROS] + _POSITIVES]
    order = [numbers[at + numbers[at + _ORDER] + place] for place in range(positives + zeros)]
    of_index = dict(zip(order, [*weights, *(0,) * zeros], strict=True))
    return tuple([of_index[index] for index in range(len(order))])


def pick(image: Image, at: int, count: int, draw: Draw) -> list[int]:
    """Choose up to `count` distinct indexes, in the order drawn; a count beyond the records gives all.

    at  where the choice begins
    Each draw is in proportion to its weight among what is left. Zero weights are drawn only after all positive ones,
    each as likely as the others.
    Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("count must not be negative")
    positives = image.numbers[at + _POSITIVES]
    picks = _draw_up_to(image, at, count, draw)
    if not image.numbers[at + _ORDER]:
        return picks
    if count > positives:
        zeros = pick(image, at + image.numbers[at + _ZEROS], count - positives, draw)
        picks.extend([positives + position for position in zeros])
    order = at + image.numbers[at + _ORDER]
    return [image.numbers[order + position] for position in picks]


def pick_weighted(weights: Sequence[int], count: int, draw: Draw) -> list[int]:
    """Choose up to `count` distinct indexes, each draw in proportion to its weight.

    weights  non-negative integers; index i is record i
    draw     draw(n) returns a uniform integer in 0 <= x < n
    Returns indexes in the order drawn. A zero weight is drawn only when no positive one is left.
    Raises ValueError for a negative weight or count.

    >>> pick_weighted((10, 0, 5), 2, draw=lambda n: 0)
    [0, 2]
    """
    return pick(Image(encode_choice(weights)), 0, count, draw)


def effective_weights(weights: Sequence[int]) -> tuple[int, ...]:
    """The weights as A, AAAA and CNAME use them: if all are zero, each counts as 1.

    >>> effective_weights((0, 0))
    (1, 1)
    """
    return tuple(weights) if any(weights) else (1,) * len(weights)


def _draw_up_to(image: Image, at: int, count: int, draw: Draw) -> list[int]:
    """Draw `count` positions, or all if there are fewer, the cheaper way."""
    size = image.numbers[at + _POSITIVES]
    if count > size:
        count = size
    if size == 1:
        return [0] * count
    return draw_by_cuts(image, at, count, draw) if count <= _CUTS_MAX else draw_by_tree(image, at, count, draw)


def draw_by_cuts(image: Image, at: int, count: int, draw: Draw) -> list[int]:
    """Draw `count` positions from the line by cutting out what was drawn: for few.

    count  at most the number of positive weights
    A draw takes O(count + log positions) steps, and with a guide O(count) where weights are alike.
    """
    drawn: list[int] = []
    bounds = at + _BOUNDS
    left = image.numbers[bounds + image.numbers[at + _POSITIVES]]
    for _ in range(count):
        position = _find(image, at, _step_over(image, bounds, drawn, _below(draw, left)))
        left -= image.numbers[bounds + position + 1] - image.numbers[bounds + position]
        drawn.append(position)
    return drawn


def _below(draw: Draw, n: int) -> int:
    """One draw; of our own random source without the detour of a Python call."""
    if isinstance(draw, Uniform):
        uniform = draw
        return uniform.below(n)
    return draw(n)


def _find(image: Image, at: int, point: int) -> int:
    """The position on which a point of the line falls, by halving: of all, or of those that the guide leaves.

    Written out for the compiler: `bisect` makes an object of each cell that it looks at.
    """
    bounds = at + _BOUNDS
    low = 0
    high = image.numbers[at + _POSITIVES]
    shift = image.numbers[at + _SHIFT]
    if shift:
        guide = bounds + high + 1 + (point >> shift)
        low = image.numbers[guide]
        high = image.numbers[guide + 1] + 1
    while high - low > 1:
        middle = (low + high) >> 1
        if image.numbers[bounds + middle] <= point:
            low = middle
        else:
            high = middle
    return low


def _step_over(image: Image, bounds: int, drawn: list[int], point: int) -> int:
    """The point of the whole line that is `point` on the line without what was drawn.

    Every drawn interval that starts at or before the point moves it on by its width, which may bring it to further
    ones: so until nothing moves, which is once or twice where few were drawn.
    """
    moved = point
    while True:
        reached = point
        for position in drawn:
            start = image.numbers[bounds + position]
            if start <= moved:
                reached += image.numbers[bounds + position + 1] - start
        if reached == moved:
            return moved
        moved = reached


def draw_by_tree(image: Image, at: int, count: int, draw: Draw) -> list[int]:
    """Draw exactly what `draw_by_cuts` draws, in O(log positions) steps a draw: for many.

    A Fenwick tree (Fenwick 1994) whose node n covers the positions n - lowbit(n) to n - 1. It holds only
    what was taken away: what was there before is a difference of bounds, so that nothing has to be built.
    """
    drawn: list[int] = []
    bounds = at + _BOUNDS
    size = image.numbers[at + _POSITIVES]
    taken = [0] * (size + 1)
    left = image.numbers[bounds + size]
    for _ in range(count):
        position = _descend(image, bounds, taken, _below(draw, left))
        width = image.numbers[bounds + position + 1] - image.numbers[bounds + position]
        left -= width
        _take(taken, position, width)
        drawn.append(position)
    return drawn


def _descend(image: Image, bounds: int, taken: list[int], point: int) -> int:
    """The position that `point` falls on, on the line without what was taken."""
    size = len(taken) - 1
    position = 0
    step = 1
    while step <= size >> 1:
        step <<= 1
    while step:
        node = position + step
        step >>= 1
        if node > size:
            continue
        covered = image.numbers[bounds + node] - image.numbers[bounds + position] - taken[node]
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
