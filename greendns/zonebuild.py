"""A checked zone source, or one that is being read -> the Zone that answers read: names linked, SOA encoded.

Here the work is done once that an answer then need not do. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import name
from .codes import ADDRESS_TYPES, RRType
from .errors import ConfigError, Problem
from .levels import CLOSEST
from .packing import Packing
from .picker import effective_weights
from .rdata import Records
from .rrset import add_rrset, count_records
from .zone import Zone
from .zonechecks import check_links
from .zonefile import ZoneReader, ZoneSource, is_cut
from .zonelabel import LabelSource
from .zonelinks import Label, Name, Names, link_aliases, link_variants, note_alias_levels, note_variant_levels
from .zonepack import pack_names

# G083, in seconds.
SOA_REFRESH = 5400
SOA_RETRY = 5400
SOA_EXPIRE = 1209600
SOA_MINIMUM = 3600
SOA_TTL_MAX = 3600  # G082
NS_TTL = 86400  # G081
# MNAME of a zone without name servers.
_NO_SERVER = name.from_text("ns.")
# Most zones have none: one for them all.
_NO_CUTS: frozenset[bytes] = frozenset()
# With no weight at all each of their records counts as 1; of other types all are answered (G150).
_ALWAYS_PICKED = (*ADDRESS_TYPES, RRType.CNAME)


def build_zone(source: ZoneSource) -> tuple[Zone, list[Problem]]:
    """The zone of a source, and what to warn of in its links."""
    packing = Packing()
    building = _Building(source, packing)
    for label in source.labels:
        building.add(label)
    building.link()
    warnings = list(building.check_links())
    zone = building.pack()
    packing.settle()
    return zone, warnings


def read_zone(reader: ZoneReader, packing: Packing) -> tuple[Zone, list[Problem]]:
    """The zone of a document and what to warn of. Raises ConfigError with every error found.

    packing  what the zone is packed to, which must be settled before it is asked for anything; what was added to it is
             taken back where there are errors

    Each label is built as soon as it is read, and then let go of: the source of a zone is as large as the zone.
    """
    building = _Building(reader.source, packing)
    mark = packing.mark()
    try:
        for label in reader.read_labels():
            building.add(label)
        reader.check()
    except ConfigError:
        packing.take_back(mark)
        raise
    building.link()
    warnings = [*reader.warnings, *building.check_links()]
    return building.pack(), warnings


def builtin_zone() -> Zone:
    """The zone `pgeodns`, which is always there and answers the debug names (G036)."""
    contact = name.from_text("hostmaster.pgeodns.")
    return build_zone(ZoneSource("pgeodns", name.from_text("pgeodns."), "", 0, contact))[0]


# -- labels


class _Building:
    """A zone while its labels are added, each once; of those with the same name the last one counts.

    source   the zone's own settings; its labels are not looked at
    packing  what it is packed to
    """

    def __init__(self, source: ZoneSource, packing: Packing) -> None:
        self._source = source
        self._packing = packing
        self._names: Names = {}
        self._aliases: dict[bytes, bytes] = {}
        self._cuts: set[bytes] = set()
        self._mname = _NO_SERVER

    def add(self, label: LabelSource) -> None:
        """Take a label in; its links wait until all names are there."""
        relative = label.relative
        if relative in self._names:
            self._aliases.pop(relative, None)
            self._cuts.discard(relative)
        self._names[relative] = Name(self._build_label(label))
        if label.alias is not None:
            self._aliases[relative] = label.alias
        if is_cut(label, self._source.levels):
            self._cuts.add(relative)

    def link(self) -> None:
        """Have all names know of each other; no label is added any more."""
        names = self._names
        self._add_parents()
        link_variants(names, self._source.levels)
        link_aliases(names, self._aliases)
        note_variant_levels(names, self._source.levels)
        if self._wants_coordinates():
            for entry in names.values():
                if any(map(self._picks_by_distance, entry.labels())):
                    entry.levels |= CLOSEST
        if self._aliases:
            note_alias_levels(names)

    def check_links(self) -> Iterator[Problem]:
        """What to warn of."""
        return check_links(self._source.file, self._names, frozenset(self._cuts), self._aliases)

    def pack(self) -> Zone:
        """The zone."""
        source = self._source
        apex = self._names[b""].plain
        assert apex is not None
        soa_at = apex.sets[RRType.SOA] = self._add_soa()
        wants_coordinates = self._wants_coordinates()
        table = pack_names(self._names, self._packing)
        return Zone(
            origin=source.origin,
            image=self._packing.image,
            table=table,
            cuts=frozenset(self._cuts) if self._cuts else _NO_CUTS,
            levels=source.levels,
            wants_coordinates=wants_coordinates,
            soa_at=soa_at,
            text_cell=self._packing.add_text(source.text),
            serial=source.serial,
            file=source.file,
        )

    def _add_parents(self) -> None:
        """Every name between those of the file and the apex exists too, and the apex itself (G053, RFC 8020)."""
        for relative in [b"", *map(name.parent, self._names)]:
            while relative not in self._names:
                self._names[relative] = Name(_empty_label(relative, self._source))
                relative = name.parent(relative)

    def _wants_coordinates(self) -> bool:
        """By what the labels say, whether or not there is anything to choose from there (G098)."""
        return any(entry.plain is not None and entry.plain.closest for entry in self._names.values())

    def _picks_by_distance(self, label: Label) -> bool:
        """Distance matters only where not all addresses are answered anyway (G160)."""
        if not label.closest:
            return False
        places = [label.sets[rrtype] for rrtype in ADDRESS_TYPES if rrtype in label.sets]
        return any(count_records(self._packing, at) > label.max_hosts for at in places)

    def _build_label(self, source: LabelSource) -> Label:
        zone = self._source
        max_hosts = zone.max_hosts if source.max_hosts is None else source.max_hosts
        closest = zone.closest if source.closest is None else source.closest
        label = Label(source.text, max_hosts, closest, source.is_checked)
        for records in source.records:
            label.sets[records.rrtype] = self._add_rrset(records, _ttl(records.rrtype, source, zone))
        if not source.relative:
            self._mname = _mname(source)
        return label

    def _add_rrset(self, records: Records, ttl: int) -> int:
        weights = records.weights or ()
        if records.rrtype in _ALWAYS_PICKED:
            weights = effective_weights(weights or (0,) * len(records.rdatas))
        elif not any(weights):
            weights = ()
        return add_rrset(self._packing, records.rrtype, ttl, records.rdatas, weights, records.health)

    def _add_soa(self) -> int:
        source = self._source
        numbers = (source.serial, SOA_REFRESH, SOA_RETRY, SOA_EXPIRE, SOA_MINIMUM)
        rdata = self._mname + source.contact + b"".join([number.to_bytes(4, "big") for number in numbers])
        # G082: ten times the zone's TTL, at most an hour; 0 counts as 60.
        return add_rrset(self._packing, RRType.SOA, min((source.ttl or 60) * 10, SOA_TTL_MAX), (rdata,))


def _mname(apex: LabelSource) -> bytes:
    """The first name server of the apex in the file (G084)."""
    return next((records.rdatas[0] for records in apex.records if records.rrtype == RRType.NS), _NO_SERVER)


def _empty_label(relative: bytes, zone: ZoneSource) -> Label:
    return Label(name.relative_text(relative), zone.max_hosts, zone.closest, False)


def _ttl(rrtype: int, label: LabelSource, zone: ZoneSource) -> int:
    """The type's TTL, else the label's, else the zone's; but never the zone's for NS (G080, G081)."""
    default = NS_TTL if rrtype == RRType.NS else zone.ttl
    return label.type_ttls.get(rrtype, label.ttl or default)
