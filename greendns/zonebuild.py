"""A checked zone source -> the Zone that answers read: names linked, aliases resolved, weights summed, SOA encoded.

Here the work is done once that an answer then need not do. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import name
from .codes import RRType
from .errors import Problem
from .picker import effective_weights
from .rdata import Records
from .rrset import RRset
from .targeting import ANYONE, CLOSEST, IP, address_target_prefix, level_of_target
from .zone import Label, Name, Zone
from .zonefile import LabelSource, ZoneSource

# G083, in seconds.
SOA_REFRESH = 5400
SOA_RETRY = 5400
SOA_EXPIRE = 1209600
SOA_MINIMUM = 3600
SOA_TTL_MAX = 3600  # G082
NS_TTL = 86400  # G081
_ADDRESSES = (RRType.A, RRType.AAAA)
# With no weight at all each of their records counts as 1; of other types all are answered (G150).
_ALWAYS_PICKED = (RRType.A, RRType.AAAA, RRType.CNAME)


def build_zone(source: ZoneSource) -> Zone:
    """Link a zone together."""
    names: dict[bytes, Name] = {}
    labels = {label.relative: label for label in source.labels}
    for relative in _with_parents(labels):
        names.setdefault(relative, Name()).plain = _build_label(relative, labels.get(relative), source)
    for relative in list(names):
        _link_variant(names, relative, source.levels)
    for label in source.labels:
        _link_alias(names, label)
    for entry in names.values():
        _note_own_levels(entry, source.levels)
    for entry in names.values():
        _note_alias_levels(entry)
    soa = _build_soa(source, names[b""])
    apex = names[b""].plain
    assert apex is not None
    apex.rrsets[RRType.SOA] = soa
    return Zone(
        origin=source.origin,
        text=source.text,
        names=names,
        cuts=frozenset(_cuts(names, source.levels)),
        levels=source.levels,
        # By what the labels say, whether or not there is anything to choose from there (G098).
        wants_coordinates=any(label.closest for entry in names.values() for label in _labels(entry)),
        soa=soa,
        serial=source.serial,
        file=source.file,
    )


def builtin_zone() -> Zone:
    """The zone `pgeodns`, which is always there and answers the debug names (G036)."""
    contact = name.from_text("hostmaster.pgeodns.")
    return build_zone(ZoneSource("pgeodns", name.from_text("pgeodns."), "", 0, contact))


def check_links(source: ZoneSource, zone: Zone) -> Iterator[Problem]:
    """What is well-formed but leads nowhere, or hides what should be seen."""
    for label in source.labels:
        place = f'data."{label.text}"'
        if label.alias is not None:
            yield from _check_alias(label.alias, label.relative, f"{place}.alias", source, zone)
        types = {records.rrtype for records in label.records}
        if RRType.CNAME in types and len(types) > 1:
            yield Problem(source.file, f"{place}.cname", "hides the label's other types (RFC 1034 section 3.6.2)")
        if label.relative[:2] == b"\x01*" and RRType.NS in types:
            yield Problem(source.file, f"{place}.ns", "a wildcard is no delegation (RFC 4592 section 4.2)")
        if not label.relative and (label.alias is not None or RRType.CNAME in types):
            yield Problem(source.file, place, "alias and cname at the apex hide the zone's own SOA and NS")


def _check_alias(target: bytes, relative: bytes, place: str, source: ZoneSource, zone: Zone) -> Iterator[Problem]:
    if target not in zone.names:
        found = f'"{name.relative_text(target)}"'
        yield Problem(source.file, place, "must name a label of this zone", found)
    elif _returns(zone.names[target], relative, zone):
        yield Problem(source.file, place, "must not lead back to itself")


def _returns(start: Name, relative: bytes, zone: Zone) -> bool:
    """Whether the aliases from `start` on come to the plain name `relative`."""
    goal = zone.names[relative]
    seen: list[Name] = []
    waiting = [start]
    while waiting:
        entry = waiting.pop()
        if entry is goal:
            return True
        if entry not in seen:
            seen.append(entry)
            waiting.extend(_aliases(entry))
    return False


# -- labels


def _with_parents(labels: dict[bytes, LabelSource]) -> dict[bytes, None]:
    """Every name of the file and every name between it and the apex, which all exist (G053, RFC 8020)."""
    relatives: dict[bytes, None] = {b"": None}
    for relative in labels:
        while relative not in relatives:
            relatives[relative] = None
            relative = name.parent(relative)
    return relatives


def _build_label(relative: bytes, source: LabelSource | None, zone: ZoneSource) -> Label:
    if source is None:
        return Label(name.relative_text(relative), zone.max_hosts, zone.closest, False)
    max_hosts = zone.max_hosts if source.max_hosts is None else source.max_hosts
    closest = zone.closest if source.closest is None else source.closest
    label = Label(source.text, max_hosts, closest, source.is_checked)
    for records in source.records:
        label.rrsets[records.rrtype] = _build_rrset(records, _ttl(records.rrtype, source, zone))
    return label


def _build_rrset(records: Records, ttl: int) -> RRset:
    weights = records.weights or ()
    if records.rrtype in _ALWAYS_PICKED:
        weights = effective_weights(weights or (0,) * len(records.rdatas))
    elif not any(weights):
        weights = ()
    return RRset(records.rrtype, ttl, records.rdatas, weights, records.health)


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


def _split_variant(text: str) -> tuple[str, str]:
    """A label's text as (name, what follows its last dot); an address target keeps its dots.

    >>> _split_variant("www.us"), _split_variant("us"), _split_variant("www.[192.0.2.0]")
    (('www', 'us'), ('', 'us'), ('www', '[192.0.2.0]'))
    """
    start = text.rfind("[") if text.endswith("]") else text.rfind(".") + 1
    return text[: max(start - 1, 0)], text[start:]


def _variant(relative: bytes, levels: int) -> tuple[bytes, bytes, int]:
    """Which shorter name a label is a variant of: its relative name, the target, the level; level 0 if of none."""
    text = name.relative_text(relative)
    _, target = _split_variant(text)
    level = level_of_target(target, levels & ~ANYONE) if relative else 0
    if not level:
        return b"", b"", 0
    return relative[: len(relative) - len(name.relative_from_text(target))], target.encode(), level


def _link_variant(names: dict[bytes, Name], relative: bytes, levels: int) -> None:
    base, target, level = _variant(relative, levels)
    label = names[relative].plain
    if level and label is not None:
        names.setdefault(base, Name()).variants[target] = label


def _link_alias(names: dict[bytes, Name], source: LabelSource) -> None:
    label = names[source.relative].plain
    assert label is not None
    label.has_alias = source.alias is not None
    label.alias = names.get(source.alias) if source.alias is not None else None


def _labels(entry: Name) -> Iterator[Label]:
    if entry.plain is not None:
        yield entry.plain
    yield from entry.variants.values()


def _aliases(entry: Name) -> Iterator[Name]:
    for label in _labels(entry):
        if label.alias is not None:
            yield label.alias


def _note_own_levels(entry: Name, levels: int) -> None:
    """Which levels can change what this name answers by what stands at it.

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
    if any(_picks_by_distance(label) for label in _labels(entry)):
        entry.levels |= CLOSEST


def _picks_by_distance(label: Label) -> bool:
    """Distance matters only where not all addresses are answered anyway (G160)."""
    return label.closest and any(len(label.rrsets.get(rrtype, ())) > label.max_hosts for rrtype in _ADDRESSES)


def _note_alias_levels(entry: Name) -> None:
    """Add the levels of every name that aliases lead to."""
    seen = [entry]
    waiting = list(_aliases(entry))
    while waiting:
        other = waiting.pop()
        if other in seen:
            continue
        seen.append(other)
        waiting.extend(_aliases(other))
        entry.levels |= other.levels
        ipv4, ipv6 = entry.address_prefixes
        entry.address_prefixes = (max(ipv4, other.address_prefixes[0]), max(ipv6, other.address_prefixes[1]))


def _cuts(names: dict[bytes, Name], levels: int) -> Iterator[bytes]:
    """The delegations: NS at a plain label below the apex that is not some name's variant."""
    for relative, entry in names.items():
        label = entry.plain
        if not relative or label is None or RRType.NS not in label.rrsets or label.has_alias:
            continue
        if relative[:2] != b"\x01*" and not _variant(relative, levels)[2]:
            yield relative
