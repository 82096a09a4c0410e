"""One RRset as answers need it: records encoded one behind the other, weights summed. Immutable once built.

It has no owner: the same set answers under its own name, under an alias and under every name of a wildcard. Nearly
always its owner is the name asked for, so each record begins with the pointer to that.
"""

from __future__ import annotations

from array import array
from itertools import accumulate

from .codes import RRClass, RRType
from .picker import WeightedChoice

# The name of the question stands behind the header (RFC 1035 section 4.1.4).
QNAME_POINTER = b"\xc0\x0c"
# What stands before the rdata: the pointer, TYPE, CLASS, TTL and RDLENGTH.
RECORD_HEAD_OCTETS = 12
_POINTER, _HEAD = len(QNAME_POINTER), RECORD_HEAD_OCTETS

# Where a compressible name starts in rdata, and how many follow each other (RFC 3597 section 4: only
# the types of RFC 1035 may be compressed).
_NAMES_IN_RDATA: dict[int, tuple[int, int]] = {
    RRType.NS: (0, 1),
    RRType.CNAME: (0, 1),
    RRType.PTR: (0, 1),
    RRType.MX: (2, 1),
    RRType.SOA: (0, 2),
}


class RRset:
    """Records of one type at one label.

    packed        per record: QNAME_POINTER, TYPE, CLASS, TTL, RDLENGTH and rdata, one record behind the other in one
                  object, which stays shared after a fork
    choice        how to pick among them by weight; None where all are answered in the file's order
    health        per record the name of its check, or None; None where no record names one
    cells         where the bounds of the choice are put, until it is settled: see there
    smallest_octets  of one record in a message: bounds how many are worth drawing
    name_offset   where the names inside the rdata start, -1 without any that may be compressed
    """

    # _octets  of every record, where they are alike; else 0, and _starts tells where each begins and the last one ends
    __slots__ = (
        "_count",
        "_octets",
        "_starts",
        "choice",
        "health",
        "name_count",
        "name_offset",
        "packed",
        "rrtype",
        "smallest_octets",
        "ttl",
    )

    def __init__(
        self,
        rrtype: int,
        ttl: int,
        rdatas: tuple[bytes, ...],
        weights: tuple[int, ...] = (),
        health: tuple[str | None, ...] | None = None,
        rrclass: int = RRClass.IN,
        cells: array[int] | None = None,
    ) -> None:
        self.rrtype = int(rrtype)
        self.ttl = ttl
        head = QNAME_POINTER + rrtype.to_bytes(2, "big") + rrclass.to_bytes(2, "big") + ttl.to_bytes(4, "big")
        self.packed = b"".join([head + len(rdata).to_bytes(2, "big") + rdata for rdata in rdatas])
        self._count = len(rdatas)
        lengths = set(map(len, rdatas))
        self.smallest_octets = RECORD_HEAD_OCTETS + min(lengths, default=0)
        self._octets = self.smallest_octets if len(lengths) == 1 else 0
        self._starts: tuple[int, ...] | None = None
        if len(lengths) > 1:
            self._starts = tuple(accumulate([RECORD_HEAD_OCTETS + len(rdata) for rdata in rdatas], initial=0))
        self.choice = WeightedChoice(weights, cells) if weights else None
        self.health = health
        self.name_offset, self.name_count = _NAMES_IN_RDATA.get(rrtype, (-1, 0))

    def __len__(self) -> int:
        return self._count

    def record(self, index: int) -> bytes:
        """One record, owned by the name of the question."""
        octets = self.packed
        return octets[self._start(index) : self._end(index)]

    def head(self) -> bytes:
        """TYPE, CLASS and TTL, encoded: what all records of a set that has any have in common."""
        return self.packed[_POINTER : _HEAD - 2]

    def rdata(self, index: int) -> bytes:
        """The rdata of one record."""
        octets = self.packed
        return octets[self._start(index) + _HEAD : self._end(index)]

    def _start(self, index: int) -> int:
        """Where a record begins."""
        if index < 0 or index >= self._count:
            raise IndexError("there is no such record")
        return self._octets * index if self._starts is None else self._starts[index]

    def _end(self, index: int) -> int:
        """Where a record ends."""
        return self._octets * (index + 1) if self._starts is None else self._starts[index + 1]

    @property
    def rdatas(self) -> tuple[bytes, ...]:
        """The rdata of all records."""
        return tuple([self.rdata(index) for index in range(self._count)])

    @property
    def weights(self) -> tuple[int, ...]:
        """As picking uses them; empty where all records are answered in the file's order."""
        return () if self.choice is None else self.choice.weights()
