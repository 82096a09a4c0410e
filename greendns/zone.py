"""Zones as answers read them: names, their variants for targets, and what matches a question. Immutable once built.

Pure. A label of a zone file is a plain name and, if it ends in a target of its zone, also the variant of the shorter
name: `www.us` is a name, and what `www` means for clients in the US. So each Name holds what stands at it plainly and
a table of variants; nothing is joined or cut per query.
"""

from __future__ import annotations

from .codes import RRType
from .levels import EVERYBODY, REGION, REGION_GROUP
from .response import encode_behind
from .rrset import RRset

WILDCARD = b"\x01*"
# Beside an alias neither its target's nor the label's own NS and SOA are seen (G132, G133).
HIDDEN_BY_ALIAS = (int(RRType.NS), int(RRType.SOA))
# How many names one question comes to by aliases: what is further leads nowhere, as a loop does (G134). The pool's
# zones need one.
ALIAS_LIMIT = 16

# Most names have no variants: one table for them all, never written to.
_NO_VARIANTS: dict[bytes, Label] = {}
# What the compiled functions look at for each query: see query.py.
_CNAME, _DS, _NS, _SOA = int(RRType.CNAME), int(RRType.DS), int(RRType.NS), int(RRType.SOA)
_LIMIT = ALIAS_LIMIT


class Label:
    """What one label of the zone file holds.

    text       as in the file, lower-cased: for logs and explain
    alias      the name whose records stand in for it; None without, or where there is no such name
    has_alias  whether the file has an alias here, also one that leads nowhere
    max_hosts  how many records a pick takes, the zone's number where the label has none
    closest    whether addresses are chosen by distance
    is_checked whether records with a failed health check are left out (G170)
    """

    __slots__ = ("alias", "closest", "has_alias", "is_checked", "max_hosts", "rrsets", "text")

    def __init__(self, text: str, max_hosts: int, closest: bool, is_checked: bool) -> None:
        self.text = text
        self.max_hosts = max_hosts
        self.closest = closest
        self.is_checked = is_checked
        self.rrsets: dict[int, RRset] = {}
        self.alias: Name | None = None
        self.has_alias = False


class Name:
    """An owner name of a zone: the plain label and its variants by target; either may be missing.

    levels            which levels of targeting can change the answer for this name, as bits, aliases included
    address_prefixes  how many bits of an IPv4 and of an IPv6 address its address variants look at
    """

    __slots__ = ("address_prefixes", "levels", "plain", "variants")

    def __init__(self) -> None:
        self.plain: Label | None = None
        self.variants = _NO_VARIANTS
        self.levels = 0
        self.address_prefixes = (0, 0)

    def add_variant(self, target: bytes, label: Label) -> None:
        """Have a label answer the clients of a target."""
        if self.variants is _NO_VARIANTS:
            self.variants = {}
        self.variants[target] = label

    def label_for(self, target: bytes) -> Label | None:
        """What a target finds here."""
        return self.plain if target == EVERYBODY else self.variants.get(target)

    def exists_for(self, targets: tuple[bytes, ...]) -> bool:
        """Whether a client with these targets sees the name at all (G115, G116)."""
        if self.plain is not None:
            return True
        return not self.variants.keys().isdisjoint(targets)

    def first_rrset(self, rrtype: int, targets: tuple[bytes, ...]) -> RRset | None:
        """The records of one type as they stand here, for the first target that has any; aliases are not followed."""
        for _, label in self.labels_for(targets):
            if rrtype in label.rrsets:
                return label.rrsets[rrtype]
        return None

    def labels_for(self, targets: tuple[bytes, ...]) -> list[tuple[bytes, Label]]:
        """What each target finds here, in the targets' order (G092)."""
        found = [(target, self.label_for(target)) for target in targets]
        return [(target, label) for target, label in found if label is not None]


class Match:
    """An RRset that may answer a question, the label that holds it and the target that led there."""

    __slots__ = ("label", "rrset", "target")

    def __init__(self, target: bytes, label: Label, rrset: RRset) -> None:
        self.target = target
        self.label = label
        self.rrset = rrset


class Zone:
    """One zone.

    origin             wire form, lower-cased
    names              by relative wire form; b"" is the apex, which is always there
    cuts               relative names with a delegation
    levels             what its targeting looks at, as bits
    wants_coordinates  whether any label is answered by distance
    soa                the SOA as an RRset of one, also for negative answers
    file               where it came from, for messages; empty for the built-in one
    """

    __slots__ = (
        "_denials",
        "apex",
        "cuts",
        "file",
        "levels",
        "names",
        "origin",
        "serial",
        "soa",
        "text",
        "wants_coordinates",
    )

    def __init__(
        self,
        origin: bytes,
        text: str,
        names: dict[bytes, Name],
        cuts: frozenset[bytes],
        levels: int,
        wants_coordinates: bool,
        soa: RRset,
        serial: int,
        file: str,
    ) -> None:
        self.origin = origin
        self.text = text
        self.names = names
        self.apex = names[b""]
        self.cuts = cuts
        self.levels = levels
        self.wants_coordinates = wants_coordinates
        self.soa = soa
        self.serial = serial
        self.file = file
        self._denials: dict[int, bytes] = {}

    def denial(self, origin_at: int) -> bytes:
        """The SOA of a negative answer, ready to stand behind the question (RFC 2308 section 3).

        origin_at  where the origin begins in the message: there are at most 243 such places, and each is encoded once
        """
        record = self._denials.get(origin_at)
        if record is None:
            record = self._denials[origin_at] = encode_behind(origin_at, self.origin, self.soa)
        return record

    def find_cut(self, relative: bytes, qtype: int) -> bytes | None:
        """The delegation at or above a name, nearest to the apex; None inside our authority.

        A DS belongs to the parent's side of its own cut (RFC 4035 section 3.1.4.1).
        """
        if not self.cuts:
            return None
        cut = None
        at = 0
        while at < len(relative):
            if relative[at:] in self.cuts and not (at == 0 and qtype == _DS):
                cut = relative[at:]
            at += 1 + relative[at]
        return cut

    def hides_apex(self) -> bool:
        """Whether an alias at the apex hides its NS and SOA (G133)."""
        return self.apex.plain is not None and self.apex.plain.has_alias

    def wants_place(self) -> bool:
        """Whether the zone looks at more of a place than its country (G098, G182)."""
        return self.wants_coordinates or self.levels & (REGION | REGION_GROUP) != 0

    def find_wildcard(self, relative: bytes) -> tuple[Name | None, bytes]:
        """The wildcard that covers a name which does not exist, and where it stands (RFC 4592 section 3.3.1)."""
        at = 0
        while at < len(relative):
            at += 1 + relative[at]
            encloser = relative[at:]
            if encloser in self.names:
                return self.names.get(WILDCARD + encloser), WILDCARD + encloser
        return None, b""


def find_matches(name: Name, qtype: int, targets: tuple[bytes, ...]) -> list[Match]:
    """All that may answer, best first: per target the label's alias, then its CNAME, then the type (G112)."""
    matches: list[Match] = []
    _collect(name, qtype, targets, matches, None)
    return matches


def find_first(name: Name, qtype: int, targets: tuple[bytes, ...]) -> Match | None:
    """The best match, which nearly always answers: the first of `find_matches`, without the others."""
    for target in targets:
        label = name.label_for(target)
        if label is None:
            continue
        if label.has_alias:
            matches = find_matches(name, qtype, targets)
            return matches[0] if matches else None
        rrset = label.rrsets.get(_CNAME)
        if rrset is None:
            rrset = label.rrsets.get(qtype)
        if rrset is not None:
            return Match(target, label, rrset)
    return None


def _collect(
    name: Name, qtype: int, targets: tuple[bytes, ...], matches: list[Match], visited: list[Name] | None
) -> None:
    """Append what `name` has; a name visited twice has nothing new to say, which also ends alias loops (G134).

    visited  the names that aliases have led to, the first one included; None before any has
    """
    for target in targets:
        label = name.label_for(target)
        if label is None:
            continue
        if label.has_alias:
            if qtype in (_NS, _SOA):  # HIDDEN_BY_ALIAS
                continue
            if visited is None:
                visited = [name]
            if label.alias is not None and label.alias not in visited and len(visited) <= _LIMIT:
                visited.append(label.alias)
                _collect(label.alias, qtype, targets, matches, visited)
        rrset = label.rrsets.get(_CNAME)
        if rrset is not None:
            matches.append(Match(target, label, rrset))
        rrset = label.rrsets.get(qtype)
        if rrset is not None and qtype != _CNAME:
            matches.append(Match(target, label, rrset))


def find_any(name: Name, targets: tuple[bytes, ...]) -> list[list[Match]]:
    """For ANY: per type what may answer, best first.

    A plain label with records speaks for everybody (G140): alias first, then CNAME, then every type it has. A name that
    exists only in variants is answered per type like any other question (G141).
    """
    per_type: dict[int, list[Match]] = {}
    _collect_any(name, targets, per_type, [])
    if _CNAME in per_type:
        return [per_type[_CNAME]]
    return list(per_type.values())


def _collect_any(name: Name, targets: tuple[bytes, ...], per_type: dict[int, list[Match]], visited: list[Name]) -> None:
    if name in visited:
        return
    visited.append(name)
    plain = name.plain
    speaks_for_all = plain is not None and (plain.rrsets or plain.has_alias)
    for target, label in [(EVERYBODY, plain)] if plain is not None and speaks_for_all else name.labels_for(targets):
        found: dict[int, list[Match]] = {}
        if label.alias is not None and len(visited) <= ALIAS_LIMIT:
            _collect_any(label.alias, targets, found, visited)
        for rrtype, rrset in label.rrsets.items():
            found.setdefault(rrtype, []).append(Match(target, label, rrset))
        for rrtype, matches in found.items():
            if not (label.has_alias and rrtype in HIDDEN_BY_ALIAS):
                per_type.setdefault(rrtype, []).extend(matches)
