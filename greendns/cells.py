"""64-bit integers one behind the other: what is packed instead of kept as objects. Pure, and on the hot path.

A Python object is written to when it is looked at, since it counts its references: from then on the page of memory that
it lies on is not shared with other processes. Cells are only read, and stand side by side in the processor's cache.
"""

from __future__ import annotations

from array import array


class Cells:
    """Signed 64-bit integers that never change.

    numbers  of type code "q"; not to be changed any more
    """

    __slots__ = ("numbers",)

    def __init__(self, numbers: array[int]) -> None:
        self.numbers = numbers
