"""All zones of a snapshot: the longest suffix of a name that is one of them. Pure, immutable once built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .codes import RRType
from .packing import Packing
from .zone import Zone, name_lengths

_DS = int(RRType.DS)


class ZoneDB:
    """Zones by origin.

    ancestors  every origin and every name above one: these exist in the parent's zone too (RFC 8020 section 2), also
               where that has no label for them
    >>> ZoneDB(()).match(b"\\x07example\\x00", RRType.A) is None
    True
    """

    # _lengths  1 for each number of octets that an origin has: other suffixes need not be looked up
    # _image    where origins are found as names are, so that no object is looked at but the zone itself; what stands in
    #           place of a name's plain label is the number of the zone among _zones
    __slots__ = ("_image", "_lengths", "_table", "_zones", "ancestors")

    def __init__(self, zones: Iterable[Zone]) -> None:
        """Serve these zones; of those with the same origin the last one."""
        by_origin = {zone.origin: zone for zone in zones}
        self._zones = list(by_origin.values())
        packing = Packing()
        places = {
            origin: packing.add_cells((packing.add_key(origin), 0, number, 0))
            for number, origin in enumerate(by_origin)
        }
        self._table = packing.add_table(places)
        self._image = packing.settle()
        self._lengths = name_lengths(by_origin)
        self.ancestors = frozenset(ancestor for origin in by_origin for ancestor in _ancestors(origin))

    def __iter__(self) -> Iterator[Zone]:
        return iter(self._zones)

    def __len__(self) -> int:
        return len(self._zones)

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
                place = self._image.find(self._table, octets[at:size])
                if place:
                    return self._zones[self._image.plain(place)]
            at += 1 + name[at]
        return None

    def has_between(self, name: bytes, encloser: bytes) -> bool:
        """Whether an origin of ours, or a name above one, stands above `name` and below `encloser`."""
        octets = name
        size = len(name)
        between = 0
        at = 1 + name[0]
        while size - at > len(encloser):
            between = at
            at += 1 + name[at]
        # Of names one above the other the uppermost is among the ancestors if any is.
        return between > 0 and octets[between:size] in self.ancestors


def _ancestors(name: bytes) -> Iterator[bytes]:
    """A wire name and every name above it but the root."""
    at = 0
    while name[at]:
        yield name[at:]
        at += 1 + name[at]
