"""What an Image is made of, while it grows: octets, cells, and the names of health checks. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from .image import Image

Checks = tuple[str | None, ...]


class Packing:
    """Octets and cells to which more are added at the end; nothing stands at cell 0, which means none."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self.cells = array("q", [0])
        self._checks: list[Checks] = []
        self._number_of: dict[Checks, int] = {}

    def add_octets(self, octets: bytes) -> int:
        """Where these octets stand from now on."""
        start = len(self.octets)
        self.octets += octets
        return start

    def add_cells(self, numbers: Iterable[int]) -> int:
        """The place of these cells."""
        at = len(self.cells)
        # Not `extend`: that takes one number after the other from anything but an array.
        self.cells += array("q", numbers)
        return at

    def add_checks(self, checks: Checks | None) -> int:
        """A number for the health checks of a record set's records, counted from 1; 0 for none."""
        if checks is None:
            return 0
        if checks not in self._number_of:
            self._checks.append(checks)
            self._number_of[checks] = len(self._checks)
        return self._number_of[checks]

    def image(self, targets: dict[bytes, int] | None = None, slots: int = 0, size: int = 0) -> Image:
        """All of it, from now on unchanged; the arguments are those of an Image."""
        return Image(bytes(self.octets), self.cells, tuple(self._checks), targets, slots, size)
