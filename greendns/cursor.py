"""A checked cursor over rdata: every step says what it takes, and none goes past the end. Pure."""

from __future__ import annotations

from .codes import LABEL_OCTETS, NAME_OCTETS
from .errors import ValueProblem


class Cursor:
    """Reads rdata from its beginning to its end. Every method raises ValueProblem where octets are missing."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def remaining(self) -> int:
        """How many octets are not read yet."""
        return len(self._octets) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` octets."""
        if count > self.remaining():
            raise ValueProblem("rdata must not end inside a field")
        start = self._at
        self._at += count
        return self._octets[start : self._at]

    def integer(self, octets: int) -> int:
        """An unsigned integer of that many octets, in network order."""
        return int.from_bytes(self.take(octets), "big")

    def string(self) -> bytes:
        """One <character-string> (RFC 1035 section 3.3)."""
        return self.take(self.integer(1))

    def rest(self) -> bytes:
        """Everything that is not read yet."""
        return self.take(self.remaining())

    def name(self) -> bytes:
        """A name in wire form. A compression pointer is refused: rdata stands alone here."""
        start = self._at
        while (length := self.integer(1)) != 0:
            if length > LABEL_OCTETS:
                raise ValueProblem("a name in rdata must not be compressed")
            self.take(length)
        if self._at - start > NAME_OCTETS:
            raise ValueProblem(f"a name must have at most {NAME_OCTETS} octets")
        return self._octets[start : self._at]

    def finish(self) -> None:
        """Refuse octets that no field took."""
        if self.remaining():
            raise ValueProblem("rdata must not go on after its last field")
