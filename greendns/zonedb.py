"""All zones of a snapshot: the longest suffix of a name that is one of them. Pure, immutable once built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .codes import NAME_OCTETS, RRType
from .zone import Zone

_DS = int(RRType.DS)


class ZoneDB:
    """Zones by origin.

    ancestors  every origin and every name above one: these exist in the parent's zone too (RFC 8020 section 2), also
               where that has no label for them
    >>> ZoneDB(()).match(b"\\x07example\\x00", RRType.A) is None
    True
    """

    # _lengths  1 for each number of octets that an origin has: other suffixes need not be looked up
    __slots__ = ("_by_origin", "_lengths", "ancestors")

    def __init__(self, zones: Iterable[Zone]) -> None:
        self._by_origin = {zone.origin: zone for zone in zones}
        lengths = {len(origin) for origin in self._by_origin}
        self._lengths = bytes([length in lengths for length in range(NAME_OCTETS + 1)])
        self.ancestors = frozenset(ancestor for origin in self._by_origin for ancestor in _ancestors(origin))

    def __iter__(self) -> Iterator[Zone]:
        return iter(self._by_origin.values())

    def __len__(self) -> int:
        return len(self._by_origin)

    def match(self, qname: bytes, qtype: int) -> Zone | None:
        """The zone that answers for a lower-cased wire name; None where we have no authority.

        A DS at an apex is the parent's, if we serve that too (G110, RFC 4035 section 3.1.4.1).
        """
        zone = self.closest(qname)
        if zone is not None and qtype == _DS and zone.origin == qname and len(qname) > 1:
            return self.closest(qname[1 + qname[0] :]) or zone
        return zone

    def closest(self, name: bytes) -> Zone | None:
        """The zone with the longest origin that `name` ends in."""
        octets = name
        size = len(name)
        at = 0
        while at < size:
            if self._lengths[size - at]:
                zone = self._by_origin.get(octets[at:size])
                if zone is not None:
                    return zone
            at += 1 + name[at]
        return None

    def has_between(self, name: bytes, encloser: bytes) -> bool:
        """Whether an origin of ours, or a name above one, stands above `name` and below `encloser`."""
        at = 1 + name[0]
        while len(name) - at > len(encloser):
            if name[at:] in self.ancestors:
                return True
            at += 1 + name[at]
        return False


def _ancestors(name: bytes) -> Iterator[bytes]:
    """A wire name and every name above it but the root."""
    at = 0
    while name[at]:
        yield name[at:]
        at += 1 + name[at]
