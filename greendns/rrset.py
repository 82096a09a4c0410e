"""One RRset as answers need it: a place in an image, where records stand encoded one behind the other.

It has no owner: the same set answers under its own name, under an alias and under every name of a wildcard. Nearly
always its owner is the name asked for, so each record begins with the pointer to that.

    type | TTL | count | first octet | octets of each | octets of the smallest | starts | choice | checks | names

Octets of each are 0 where records are not equally long: then `starts` is the place of count + 1 cells that tell where
each begins, counted from the first octet, and where the last one ends. The choice by weight (`picker`) has a place too,
0 where all records are answered.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate
from struct import Struct

from .codes import RRClass, RRType
from .image import Image
from .packing import Checks, Packing
from .picker import encode_choice, weights_of

# The name of the question stands behind the header (RFC 1035 section 4.1.4).
QNAME_POINTER = b"\xc0\x0c"
# What stands before the rdata: the pointer, TYPE, CLASS, TTL and RDLENGTH.
RECORD_HEAD_OCTETS = 12
_POINTER, _HEAD = len(QNAME_POINTER), RECORD_HEAD_OCTETS

# Where the parts of a record set stand.
_CELLS = 10
_TYPE, _TTL, _COUNT, _START, _EACH, _SMALLEST, _STARTS, _CHOICE, _CHECKS, _NAMES = range(_CELLS)
_NAMES_BITS = 8

# Where a compressible name starts in rdata, and how many follow each other (RFC 3597 section 4: only
# the types of RFC 1035 may be compressed).
_NAMES_IN_RDATA: dict[int, tuple[int, int]] = {
    RRType.NS: (0, 1),
    RRType.CNAME: (0, 1),
    RRType.PTR: (0, 1),
    RRType.MX: (2, 1),
    RRType.SOA: (0, 2),
}
_NO_NAMES = (-1, 0)
_pack_head = Struct(">2sHHI").pack  # owner, TYPE, CLASS, TTL


class RRset:
    """Records of one type at one label.

    image         where it stands, at the place `at`
    choice        the place of how to pick among them by weight; 0 where all are answered in the file's order
    smallest_octets  of one record in a message: bounds how many are worth drawing
    name_offset   where the names inside the rdata start, -1 without any that may be compressed
    """

    # _octets  of every record, where they are alike; else 0, and _starts tells where each begins and the last one ends
    __slots__ = (
        "_count",
        "_octets",
        "_start",
        "_starts",
        "at",
        "choice",
        "image",
        "name_count",
        "name_offset",
        "rrtype",
        "smallest_octets",
    )

    def __init__(self, image: Image, at: int) -> None:
        self.begin(image, at)

    def begin(self, image: Image, at: int) -> None:
        """Be another one."""
        self.image = image
        self.at = at
        self.rrtype = image.numbers[at + _TYPE]
        self.choice = image.numbers[at + _CHOICE]
        self.smallest_octets = image.numbers[at + _SMALLEST]
        names = image.numbers[at + _NAMES]
        self.name_offset = (names >> _NAMES_BITS) - 1
        self.name_count = names & (1 << _NAMES_BITS) - 1
        self._count = image.numbers[at + _COUNT]
        self._start = image.numbers[at + _START]
        self._octets = image.numbers[at + _EACH]
        self._starts = image.numbers[at + _STARTS]

    def __len__(self) -> int:
        return self._count

    @property
    def ttl(self) -> int:
        """Seconds."""
        return self.image.numbers[self.at + _TTL]

    def record(self, index: int) -> bytes:
        """One record, owned by the name of the question."""
        octets = self.image.octets
        return octets[self._begin(index) : self._end(index)]

    def append_to(self, parts: list[bytes], indexes: Iterable[int]) -> int:
        """Append these records, owned by the name of the question; returns how many octets they have together."""
        octets = self.image.octets
        size = 0
        for index in indexes:
            begin = self._begin(index)
            end = begin + self._octets if self._octets else self._end(index)
            parts.append(octets[begin:end])
            size += end - begin
        return size

    def head(self) -> bytes:
        """TYPE, CLASS and TTL, encoded: what all records of a set that has any have in common."""
        return self.image.octets[self._start + _POINTER : self._start + _HEAD - 2]

    def rdata(self, index: int) -> bytes:
        """The rdata of one record."""
        octets = self.image.octets
        return octets[self._begin(index) + _HEAD : self._end(index)]

    def _begin(self, index: int) -> int:
        """Where a record begins."""
        if index < 0 or index >= self._count:
            raise IndexError("there is no such record")
        if self._octets:
            return self._start + self._octets * index
        return self._start + self.image.numbers[self._starts + index]

    def _end(self, index: int) -> int:
        """Where a record ends that there is."""
        if self._octets:
            return self._start + self._octets * (index + 1)
        return self._start + self.image.numbers[self._starts + index + 1]

    @property
    def rdatas(self) -> tuple[bytes, ...]:
        """The rdata of all records."""
        return tuple([self.rdata(index) for index in range(self._count)])

    @property
    def weights(self) -> tuple[int, ...]:
        """As picking uses them; empty where all records are answered in the file's order."""
        return weights_of(self.image, self.choice) if self.choice else ()

    def checks(self) -> Checks | None:
        """Per record the name of its health check, or None; None where no record names one."""
        number = self.image.numbers[self.at + _CHECKS]
        return self.image.checks[number - 1] if number else None


def add_rrset(
    packing: Packing,
    rrtype: int,
    ttl: int,
    rdatas: tuple[bytes, ...],
    weights: tuple[int, ...] = (),
    checks: Checks | None = None,
    rrclass: int = RRClass.IN,
) -> int:
    """The place of a record set that is packed with others; no weights: all of its records are answered."""
    lengths = set(map(len, rdatas))
    smallest = RECORD_HEAD_OCTETS + min(lengths, default=0)
    each = smallest if len(lengths) <= 1 else 0
    start = packing.add_octets(_encode_records(_pack_head(QNAME_POINTER, rrtype, rrclass, ttl), rdatas, each))
    starts = 0 if each else packing.add_cells(_starts_of(rdatas))
    name_offset, name_count = names_in_rdata(rrtype)
    names = name_offset + 1 << _NAMES_BITS | name_count
    number = 0 if checks is None else packing.add_checks(checks)
    # The choice stands behind the ten cells that tell of it.
    choice = len(packing.cells) + _CELLS if weights else 0
    cells = array("q", (rrtype, ttl, len(rdatas), start, each, smallest, starts, choice, number, names))
    return packing.add_cells(cells + encode_choice(weights) if weights else cells)


def names_in_rdata(rrtype: int) -> tuple[int, int]:
    """Where compressible names start in the rdata of a type, -1 where there are none, and how many there are."""
    return _NAMES_IN_RDATA.get(rrtype, _NO_NAMES)


def _starts_of(rdatas: tuple[bytes, ...]) -> Iterator[int]:
    """Where each record begins, and the last one ends, counted from the first."""
    return accumulate([RECORD_HEAD_OCTETS + len(rdata) for rdata in rdatas], initial=0)


def _encode_records(head: bytes, rdatas: tuple[bytes, ...], each: int) -> bytes:
    """The records one behind the other; `each` is how many octets every one has, 0 where they differ."""
    if not each:
        return b"".join([head + len(rdata).to_bytes(2, "big") + rdata for rdata in rdatas])
    # What stands before the rdata is the same for all: joining by it is one call for thousands of records.
    before = head + (each - RECORD_HEAD_OCTETS).to_bytes(2, "big")
    return before + before.join(rdatas) if rdatas else b""


def count_records(packing: Packing, at: int) -> int:
    """How many records a packed set has."""
    return packing.cells[at + _COUNT]


def make_rrset(
    rrtype: int,
    ttl: int,
    rdatas: tuple[bytes, ...],
    weights: tuple[int, ...] = (),
    checks: Checks | None = None,
    rrclass: int = RRClass.IN,
) -> RRset:
    """A record set by itself, as `add_rrset` packs it."""
    packing = Packing()
    at = add_rrset(packing, rrtype, ttl, rdatas, weights, checks, rrclass)
    return RRset(packing.settle(), at)
