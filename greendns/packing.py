"""What an image is made of, while it grows: octets, cells, and the names of health checks. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping

from .image import KEY_BITS, TEXT_BITS, Image

Checks = tuple[str | None, ...]
# How far everything had grown: octets, cells, checks.
Mark = tuple[int, int, int]


class Packing:
    """Octets and cells to which more are added at the end; nothing stands at cell 0, which means none.

    image    where all of it can be looked up once it is settled
    targets  the number of each target that some name has a variant for
    """

    def __init__(self) -> None:
        self.octets = bytearray()
        self.cells = array("q", [0])
        self.targets: dict[bytes, int] = {}
        self.image = Image(array("q"))
        self._checks: list[Checks] = []

    def add_octets(self, octets: bytes) -> int:
        """Where these octets stand from now on."""
        start = len(self.octets)
        self.octets += octets
        return start

    def add_cells(self, numbers: Iterable[int]) -> int:
        """The place of these cells."""
        at = len(self.cells)
        # `extend` takes one number after the other from anything but an array.
        self.cells += numbers if isinstance(numbers, array) else array("q", numbers)
        return at

    def add_checks(self, checks: Checks) -> int:
        """A number for the health checks of a record set's records, counted from 1."""
        self._checks.append(checks)
        return len(self._checks)

    def add_key(self, key: bytes) -> int:
        """The cell of a key by which something is found: see `image`."""
        return self.add_octets(key) << KEY_BITS | len(key)

    def add_text(self, text: str) -> int:
        """The cell of a text: see `Image.text_of`."""
        # The other way takes five times as long.
        octets = text.encode() if text.isascii() else text.encode("utf-8", "surrogatepass")
        return self.add_octets(octets) << TEXT_BITS | len(octets)

    def add_table(self, places: Mapping[bytes, int]) -> int:
        """The place of a table by which what stands at these places is found; each must begin with its key.

        At most half of the slots are taken, so that the next free one is near.
        """
        size = 1 << (2 * len(places) - 1).bit_length()
        mask = size - 1
        table = array("q", bytes(8 * (1 + size)))
        table[0] = mask
        for key, place in places.items():
            slot = hash(key) & mask
            while table[1 + slot]:
                slot = (slot + 1) & mask
            table[1 + slot] = place
        return self.add_cells(table)

    def mark(self) -> Mark:
        """How far it has grown."""
        return len(self.octets), len(self.cells), len(self._checks)

    def take_back(self, mark: Mark) -> None:
        """Forget what was added since."""
        octets, cells, checks = mark
        del self.octets[octets:]
        del self.cells[cells:]
        del self._checks[checks:]

    def settle(self) -> Image:
        """The image of all that was added: nothing is from now on."""
        self.image.settle(self.cells, bytes(self.octets), tuple(self._checks), self.targets)
        return self.image
