"""A checked zone source, or one that is being read -> the Zone that answers read: names linked, SOA encoded.

Here the work is done once that an answer then need not do. Pure.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping

from . import name
from .codes import ADDRESS_TYPES, RRType
from .errors import Problem
from .found import shown
from .levels import CLOSEST, EVERYBODY, IP
from .picker import Line, effective_weights
from .rdata import Records
from .rrset import RRset
from .targeting import address_target_prefix, level_of_target
from .zone import ALIAS_LIMIT, WILDCARD, Label, Name, Zone
from .zonefile import ZoneReader, ZoneSource, is_cut, variant_of
from .zonelabel import LabelSource, label_place

# G083, in seconds.
SOA_REFRESH = 5400
SOA_RETRY = 5400
SOA_EXPIRE = 1209600
SOA_MINIMUM = 3600
SOA_TTL_MAX = 3600  # G082
NS_TTL = 86400  # G081
# With no weight at all each of their records counts as 1; of other types all are answered (G150).
_ALWAYS_PICKED = (*ADDRESS_TYPES, RRType.CNAME)


def build_zone(source: ZoneSource) -> Zone:
    """Link a zone together."""
    building = _Building(source)
    for label in source.labels:
        building.add(label)
    return building.link()


def read_zone(reader: ZoneReader) -> tuple[Zone, list[Problem]]:
    """The zone of a document and what to warn of. Raises ConfigError with every error found.

    Each label is built as soon as it is read, and then let go of: the source of a zone is as large as the zone.
    """
    building = _Building(reader.source)
    for label in reader.read_labels():
        building.add(label)
    reader.check()
    zone = building.link()
    return zone, [*reader.warnings, *_check_links(reader.file, building.aliases, zone)]


def builtin_zone() -> Zone:
    """The zone `pgeodns`, which is always there and answers the debug names (G036)."""
    contact = name.from_text("hostmaster.pgeodns.")
    return build_zone(ZoneSource("pgeodns", name.from_text("pgeodns."), "", 0, contact))


def check_links(source: ZoneSource, zone: Zone) -> Iterator[Problem]:
    """What is well-formed but leads nowhere, or hides what should be seen."""
    aliases = {label.relative: label.alias for label in source.labels if label.alias is not None}
    return _check_links(source.file, aliases, zone)


def _check_links(file: str, aliases: Mapping[bytes, bytes], zone: Zone) -> Iterator[Problem]:
    faults = _AliasFaults(zone) if aliases else None
    for relative, entry in zone.names.items():
        label = entry.plain
        if label is None:
            continue
        if faults is not None and relative in aliases:
            yield from _check_alias(aliases[relative], label, file, zone, faults)
        # The rest is about these and the apex alone.
        if not relative or RRType.CNAME in label.rrsets or RRType.NS in label.rrsets:
            yield from _check_label(relative, label, file, zone)


def _check_label(relative: bytes, label: Label, file: str, zone: Zone) -> Iterator[Problem]:
    rrtypes = label.rrsets.keys() - {RRType.SOA}
    has_cname = RRType.CNAME in rrtypes
    if has_cname and len(rrtypes) > 1 and relative not in zone.cuts:
        place = f"{label_place(label.text)}.cname"
        yield Problem(file, place, "hides the label's other types (RFC 1034 section 3.6.2)")
    if relative[:2] == WILDCARD and RRType.NS in rrtypes:
        yield Problem(file, f"{label_place(label.text)}.ns", "a wildcard is no delegation (RFC 4592 section 4.2)")
    if not relative and (label.has_alias or has_cname):
        yield Problem(file, label_place(label.text), "alias and cname at the apex hide the zone's own SOA and NS")
    if relative in zone.cuts:
        yield from _check_cut(zone.names[relative], file)


def _check_cut(entry: Name, file: str) -> Iterator[Problem]:
    for label in _labels(entry):
        if RRType.CNAME in label.rrsets:
            yield Problem(file, f"data.{shown(label.text)}.cname", "is never answered: the name is delegated")


def _check_alias(target: bytes, label: Label, file: str, zone: Zone, faults: _AliasFaults) -> Iterator[Problem]:
    place = f"{label_place(label.text)}.alias"
    if target not in zone.names:
        yield Problem(file, place, "must name a label of this zone", shown(name.relative_text(target)))
    elif label in faults.loops:
        yield Problem(file, place, "must not lead back to itself")
    elif label in faults.long:
        yield Problem(file, place, f"must not lead through more than {ALIAS_LIMIT} names")


class _AliasFaults:
    """The labels of a zone whose aliases lead back to them, for the clients of some target, and those that lead far."""

    def __init__(self, zone: Zone) -> None:
        self.loops: set[Label] = set()
        self.long: set[Label] = set()
        for entry in zone.names.values():
            if entry.plain is not None:
                self.follow(entry.plain, (EVERYBODY,))
            for target, label in entry.variants.items():
                self.follow(label, (target, EVERYBODY))

    def follow(self, label: Label, targets: tuple[bytes, ...]) -> None:
        """Note what is wrong with a label's alias for clients with these targets."""
        if label.alias is None:
            return
        names = _followed(label, targets)
        if len(names) > ALIAS_LIMIT:
            self.long.add(label)
        labels = _aliased(names, targets)
        if label in labels:
            # Plain labels on the way are in the loop too: only for some targets it closes.
            self.loops.update([other for other in labels if label in _aliased(_followed(other, targets), targets)])


def _followed(label: Label, targets: tuple[bytes, ...]) -> list[Name]:
    """The names that a label's alias leads to, and theirs; of too many the first ALIAS_LIMIT + 1."""
    names = [] if label.alias is None else [label.alias]
    for entry in names:  # which grows meanwhile
        for other in _aliased([entry], targets):
            if other.alias is not None and other.alias not in names and len(names) <= ALIAS_LIMIT:
                names.append(other.alias)
    return names


def _aliased(names: list[Name], targets: tuple[bytes, ...]) -> list[Label]:
    """The labels with an alias that clients with these targets find."""
    return [label for entry in names for _, label in entry.labels_for(targets) if label.alias is not None]


# -- labels


class _Building:
    """A zone while its labels are added, each once; of those with the same name the last one counts.

    source   the zone's own settings; its labels are not looked at
    aliases  the relative names of labels with an alias, and of its target
    """

    def __init__(self, source: ZoneSource) -> None:
        self.aliases: dict[bytes, bytes] = {}
        self._source = source
        self._names: dict[bytes, Name] = {}
        self._cuts: set[bytes] = set()
        # The weights of all labels, summed: see picker.WeightedChoice.
        self._cells = array("q")

    def add(self, label: LabelSource) -> None:
        """Take a label in; its links wait until all names are there."""
        relative = label.relative
        if relative in self._names:
            self.aliases.pop(relative, None)
            self._cuts.discard(relative)
        self._add_name(relative, _build_label(label, self._source, self._cells))
        if label.alias is not None:
            self.aliases[relative] = label.alias
        if is_cut(label, self._source.levels):
            self._cuts.add(relative)

    def _add_name(self, relative: bytes, label: Label) -> None:
        entry = self._names[relative] = Name()
        entry.plain = label

    def link(self) -> Zone:
        """The zone."""
        source, names = self._source, self._names
        self._add_parents()
        self._settle_choices()
        for relative in list(names):
            _link_variant(names, relative, source.levels)
        for relative, target in self.aliases.items():
            _link_alias(names, relative, target)
        # By what the labels say, whether or not there is anything to choose from there (G098).
        wants_coordinates = any(entry.plain is not None and entry.plain.closest for entry in names.values())
        for entry in names.values():
            if entry.variants:
                _note_variant_levels(entry, source.levels)
            if wants_coordinates and any(_picks_by_distance(label) for label in _labels(entry)):
                entry.levels |= CLOSEST
        if self.aliases:
            _note_alias_levels(names)
        soa = _build_soa(source, names[b""])
        apex = names[b""].plain
        assert apex is not None
        apex.rrsets[RRType.SOA] = soa
        return Zone(
            origin=source.origin,
            text=source.text,
            names=names,
            cuts=frozenset(self._cuts),
            levels=source.levels,
            wants_coordinates=wants_coordinates,
            soa=soa,
            serial=source.serial,
            file=source.file,
        )

    def _settle_choices(self) -> None:
        line = Line(self._cells)
        for entry in self._names.values():
            for label in _labels(entry):
                for rrset in label.rrsets.values():
                    if rrset.choice is not None:
                        rrset.choice.settle(line)

    def _add_parents(self) -> None:
        """Every name between those of the file and the apex exists too, and the apex itself (G053, RFC 8020)."""
        for relative in [b"", *map(name.parent, self._names)]:
            while relative not in self._names:
                self._add_name(relative, _empty_label(relative, self._source))
                relative = name.parent(relative)


def _empty_label(relative: bytes, zone: ZoneSource) -> Label:
    return Label(name.relative_text(relative), zone.max_hosts, zone.closest, False)


def _build_label(source: LabelSource, zone: ZoneSource, cells: array[int]) -> Label:
    max_hosts = zone.max_hosts if source.max_hosts is None else source.max_hosts
    closest = zone.closest if source.closest is None else source.closest
    label = Label(source.text, max_hosts, closest, source.is_checked)
    for records in source.records:
        label.rrsets[records.rrtype] = _build_rrset(records, _ttl(records.rrtype, source, zone), cells)
    return label


def _build_rrset(records: Records, ttl: int, cells: array[int]) -> RRset:
    weights = records.weights or ()
    if records.rrtype in _ALWAYS_PICKED:
        weights = effective_weights(weights or (0,) * len(records.rdatas))
    elif not any(weights):
        weights = ()
    return RRset(records.rrtype, ttl, records.rdatas, weights, records.health, cells=cells)


def _ttl(rrtype: int, label: LabelSource, zone: ZoneSource) -> int:
    """The type's TTL, else the label's, else the zone's; but never the zone's for NS (G080, G081)."""
    default = NS_TTL if rrtype == RRType.NS else zone.ttl
    return label.type_ttls.get(rrtype, label.ttl or default)


def _build_soa(source: ZoneSource, apex: Name) -> RRset:
    """The SOA; MNAME is the first name server of the apex in the file (G084), `ns.` without one."""
    assert apex.plain is not None
    servers = apex.plain.rrsets.get(RRType.NS)
    mname = servers.rdatas[0] if servers is not None else name.from_text("ns.")
    numbers = (source.serial, SOA_REFRESH, SOA_RETRY, SOA_EXPIRE, SOA_MINIMUM)
    rdata = mname + source.contact + b"".join([number.to_bytes(4, "big") for number in numbers])
    # G082: ten times the zone's TTL, at most an hour; 0 counts as 60.
    return RRset(RRType.SOA, min((source.ttl or 60) * 10, SOA_TTL_MAX), (rdata,))


# -- links between names


def _link_variant(names: dict[bytes, Name], relative: bytes, levels: int) -> None:
    variant = variant_of(relative, levels)
    label = names[relative].plain
    if variant is not None and label is not None:
        names.setdefault(variant.base, Name()).add_variant(variant.target, label)


def _link_alias(names: dict[bytes, Name], relative: bytes, target: bytes) -> None:
    label = names[relative].plain
    assert label is not None
    label.has_alias = True
    label.alias = names.get(target)


def _labels(entry: Name) -> Iterator[Label]:
    if entry.plain is not None:
        yield entry.plain
    yield from entry.variants.values()


def _aliases(entry: Name) -> Iterator[Name]:
    for label in _labels(entry):
        if label.alias is not None:
            yield label.alias


def _note_variant_levels(entry: Name, levels: int) -> None:
    """Which levels can change what this name answers by the variants that stand at it.

    An empty variant (the parent of some longer label) changes nothing, unless it is all there is of the name.
    """
    ipv4, ipv6 = 0, 0
    for target, label in entry.variants.items():
        if not label.rrsets and not label.has_alias and entry.plain is not None:
            continue
        level = level_of_target(target.decode(), levels)
        entry.levels |= level
        if level == IP:
            prefix = address_target_prefix(target.decode())
            ipv4, ipv6 = (ipv4, max(ipv6, prefix)) if b":" in target else (max(ipv4, prefix), ipv6)
    entry.address_prefixes = (ipv4, ipv6)


def _picks_by_distance(label: Label) -> bool:
    """Distance matters only where not all addresses are answered anyway (G160)."""
    return label.closest and any(len(label.rrsets.get(rrtype, ())) > label.max_hosts for rrtype in ADDRESS_TYPES)


def _note_alias_levels(names: dict[bytes, Name]) -> None:
    """Add to each name the levels of all names that aliases lead to.

    What a name gains goes on to those that lead to it. There are only a few levels to gain: the time is linear.
    """
    leading: dict[Name, list[Name]] = {}
    for entry in names.values():
        for other in _aliases(entry):
            leading.setdefault(other, []).append(entry)
    waiting = list(leading)
    while waiting:
        other = waiting.pop()
        waiting.extend([entry for entry in leading.get(other, ()) if _add_levels(entry, other)])


def _add_levels(entry: Name, other: Name) -> bool:
    """Whether `entry` gains anything by what `other` looks at."""
    before = (entry.levels, entry.address_prefixes)
    ipv4, ipv6 = entry.address_prefixes
    entry.levels |= other.levels
    entry.address_prefixes = (max(ipv4, other.address_prefixes[0]), max(ipv6, other.address_prefixes[1]))
    return (entry.levels, entry.address_prefixes) != before
