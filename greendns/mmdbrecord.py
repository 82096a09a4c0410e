"""Records in the data section of a MaxMind DB (specification 2.0): octets -> what a place needs of them, and no more.

A record of a City database has its names in eight languages. Decoding it whole takes maxminddb 60 µs, and every network
of a random client is a record not met before; what is wanted here takes 2 µs (compiled). Values that are not wanted are
stepped over, their pointers never followed, so that a damaged record costs no more than its octets.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct

from .errors import ValueProblem

# What is read, by key; of a list its first item alone. An empty shape is a value by itself.
Shape = Mapping[bytes, "Shape"]
WORDS: Shape = {
    b"country": {b"iso_code": {}},
    b"subdivisions": {b"iso_code": {}},
    b"autonomous_system_number": {},
}
# Coordinates too, which few zones look at: to step over them takes a fifth less.
WANTED: Shape = {**WORDS, b"location": {b"latitude": {}, b"longitude": {}}}

# Types of values ("Data Field Format"). Those above 7 stand in an octet of their own.
_EXTENDED, _POINTER, _TEXT, _DOUBLE, _UINT16, _UINT32, _MAP = 0, 1, 2, 3, 5, 6, 7
_ARRAY, _BOOLEAN, _LAST = 11, 14, 15

_read_double = Struct(">d").unpack


class Records:
    """The data section of `buffer`, which begins at `start` and ends with it."""

    __slots__ = ("_buffer", "_start")

    def __init__(self, buffer: bytes, start: int) -> None:
        self._buffer = buffer
        self._start = start

    def read(self, offset: int, shape: Shape = WANTED) -> object:
        """What is wanted of the record at an offset of the section.

        Raises ValueProblem, IndexError, struct.error or UnicodeDecodeError for a damaged one.
        """
        return self._read(self._start + offset, shape)

    def _read(self, at: int, shape: Shape) -> object:
        kind, size, at = self._follow(at)
        if kind != _ARRAY:
            return self._read_value(kind, size, at, shape)
        if size == 0:
            return []
        # A list in a list is not looked into: by pointers they can go round in circles.
        kind, size, at = self._follow(at)
        return [self._read_value(kind, size, at, shape)]

    def _read_value(self, kind: int, size: int, at: int, shape: Shape) -> object:
        """The value of this type and size whose octets begin at `at`; None for a type that is never wanted."""
        if kind == _MAP:
            return self._read_map(at, size, shape)
        if kind == _TEXT:
            return self._text(at, size)
        if kind == _DOUBLE:
            return _read_double(self._buffer[at : at + size])[0]
        if kind in (_UINT16, _UINT32):
            return int.from_bytes(self._octets(at, size), "big")
        return None

    def _read_map(self, at: int, size: int, shape: Shape) -> dict[str, object]:
        found: dict[str, object] = {}
        for _ in range(size):
            kind, octets, begin = self._follow(at)
            if kind != _TEXT:
                raise ValueProblem("a key must be a text", str(kind))
            key = self._octets(begin, octets)
            at = self._skip(at)
            inner = shape.get(key)
            if inner is not None:
                found[key.decode()] = self._read(at, inner)
            at = self._skip(at)
        return found

    def _follow(self, at: int) -> tuple[int, int, int]:
        """Type, size and place of the value at `at`, or of the one that it points to."""
        kind, size, begin = self._head(at)
        if kind == _POINTER:
            kind, size, begin = self._head(self._start + size)
            if kind == _POINTER:
                raise ValueProblem("a pointer must not lead to a pointer")
        return kind, size, begin

    def _head(self, at: int) -> tuple[int, int, int]:
        """Type and size of the value at `at`, and where its octets begin; the size of a pointer is where it leads."""
        control = self._buffer[at]
        kind = control >> 5
        at += 1
        if kind == _POINTER:
            return kind, self._target(control, at), at + 1 + (control >> 3 & 3)
        if kind == _EXTENDED:
            kind = 7 + self._buffer[at]
            at += 1
            if kind > _LAST:
                raise ValueProblem("a value must be of a known type", str(kind))
        size = control & 0x1F
        if size < 29:
            return kind, size, at
        more = size - 28
        return kind, (0, 29, 285, 65821)[more] + self._number(at, more), at + more

    def _target(self, control: int, at: int) -> int:
        """Where in the section a pointer leads ("Pointer" in the specification)."""
        more = control >> 3 & 3
        if more == 3:
            return self._number(at, 4)
        near = (control & 7) << (8 * more + 8) | self._number(at, more + 1)
        return near + (0, 2048, 526336)[more]

    def _number(self, at: int, octets: int) -> int:
        number = 0
        for place in range(at, at + octets):
            number = number << 8 | self._buffer[place]
        return number

    def _skip(self, at: int) -> int:
        """Where the value at `at` ends."""
        values = 1
        while values > 0:
            values -= 1
            kind, size, at = self._head(at)
            if kind == _MAP:
                values += 2 * size
            elif kind == _ARRAY:
                values += size
            elif kind not in (_POINTER, _BOOLEAN):
                at += size
        return at

    def _text(self, at: int, size: int) -> str:
        return self._octets(at, size).decode("utf-8")

    def _octets(self, at: int, size: int) -> bytes:
        octets = self._buffer[at : at + size]
        if len(octets) != size:
            raise ValueProblem("a value must end within the file")
        return octets
