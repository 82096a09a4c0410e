"""Zones as answers read them: names, their variants for targets, and what matches a question. Immutable once built.

Pure. A label of a zone file is a plain name and, if it ends in a target of its zone, also the variant of the shorter
name: `www.us` is a name, and what `www` means for clients in the US. So each name of the image holds its plain label
and a table of variants; nothing is joined or cut per query.
"""

from __future__ import annotations

from collections.abc import Iterable

from .codes import NAME_OCTETS, RRType
from .image import IS_CHECKED, IS_CLOSEST, SETTING_BITS, Image
from .levels import EVERYBODY, REGION, REGION_GROUP
from .response import encode_behind
from .rrset import RRset, make_rrset

WILDCARD = b"\x01*"
# Beside an alias neither its target's nor the label's own NS and SOA are seen (G132, G133).
HIDDEN_BY_ALIAS = (int(RRType.NS), int(RRType.SOA))
# How many names one question comes to by aliases: what is further leads nowhere, as a loop does (G134). The pool's
# zones need one.
ALIAS_LIMIT = 16

# What the compiled functions look at for each query: see query.py.
_DS, _NS, _SOA = int(RRType.DS), int(RRType.NS), int(RRType.SOA)
_CLOSEST, _CHECKED, _SETTING_BITS = IS_CLOSEST, IS_CHECKED, SETTING_BITS
_LIMIT = ALIAS_LIMIT
# What a match is of until it is begun: made once, not for every answer.
_NOTHING = make_rrset(RRType.A, 0, ())


class Match:
    """An RRset that may answer a question, the label that holds it and the target that led there.

    label       its place
    max_hosts   how many records a pick takes
    closest     whether addresses are chosen by distance
    is_checked  whether records with a failed health check are left out (G170)
    """

    __slots__ = ("closest", "image", "is_checked", "label", "max_hosts", "rrset", "target")

    def __init__(self, image: Image, target: bytes, label: int, at: int) -> None:
        self.rrset = RRset(image, at)
        self.begin(image, target, label, at)

    def begin(self, image: Image, target: bytes, label: int, at: int) -> None:
        """Be another one: of the record set at `at`."""
        self.image = image
        self.target = target
        self.label = label
        self.rrset.begin(image, at)
        settings = image.settings(label)
        self.max_hosts = settings >> _SETTING_BITS
        self.closest = settings & _CLOSEST != 0
        self.is_checked = settings & _CHECKED != 0

    def label_text(self) -> str:
        """The label as in the zone file, in lower case: for logs and explain."""
        return self.image.text(self.label)


def blank_match() -> Match:
    """One of nothing, to be begun."""
    return Match(_NOTHING.image, b"", _NOTHING.at, _NOTHING.at)


class Zone:
    """One zone.

    origin             wire form, lower-cased; it has `origin_octets`
    image              where its names stand; small zones that were loaded together share one
    table              the place in it by which they are found; b"" is the apex, which is always there
    number             by which its counters are found: of no other zone of a snapshot; 0 until it is given one
    cuts               relative names with a delegation
    levels             what its targeting looks at, as bits
    wants_coordinates  whether any label is answered by distance
    soa_at             the place of its SOA; `text_cell` tells where its name stands as text
    file               where it came from, for messages; empty for the built-in one
    """

    # _cut_lengths  1 for each number of octets that a cut has
    __slots__ = (
        "_cut_lengths",
        "_denials",
        "cuts",
        "file",
        "image",
        "levels",
        "number",
        "origin",
        "origin_octets",
        "serial",
        "soa_at",
        "table",
        "text_cell",
        "wants_coordinates",
    )

    def __init__(
        self,
        origin: bytes,
        image: Image,
        table: int,
        cuts: frozenset[bytes],
        levels: int,
        wants_coordinates: bool,
        soa_at: int,
        text_cell: int,
        serial: int,
        file: str,
    ) -> None:
        self.origin = origin
        self.origin_octets = len(origin)
        self.text_cell = text_cell
        self.image = image
        self.table = table
        self.cuts = cuts
        self.levels = levels
        self.wants_coordinates = wants_coordinates
        self.soa_at = soa_at
        self.serial = serial
        self.file = file
        self.number = 0
        self._cut_lengths = name_lengths(cuts) if cuts else b""
        self._denials: dict[int, bytes] | None = None

    @property
    def text(self) -> str:
        """Its name without the last dot, as the file is named."""
        return self.image.text_of(self.text_cell)

    def soa(self) -> RRset:
        """The SOA, an RRset of one: also that of negative answers."""
        return RRset(self.image, self.soa_at)

    def find(self, relative: bytes) -> int:
        """The place of a name, by its relative wire form in lower case; 0 if it does not exist."""
        return self.image.find(self.table, relative)

    def denial(self, origin_at: int) -> bytes:
        """The SOA of a negative answer, ready to stand behind the question (RFC 2308 section 3).

        origin_at  where the origin begins in the message: there are at most 243 such places, and each is encoded once
        """
        if self._denials is None:
            self._denials = {}
        record = self._denials.get(origin_at)
        if record is None:
            record = self._denials[origin_at] = encode_behind(origin_at, self.origin, self.soa())
        return record

    def find_cut(self, relative: bytes, qtype: int) -> bytes | None:
        """The delegation at or above a name, nearest to the apex; None inside our authority.

        A DS belongs to the parent's side of its own cut (RFC 4035 section 3.1.4.1).
        """
        if not self.cuts:
            return None
        octets = relative
        size = len(relative)
        cut = None
        at = 0
        while at < size:
            # Of a name of 127 labels a few suffixes are as long as any cut: no other is made.
            if self._cut_lengths[size - at] and not (at == 0 and qtype == _DS):
                above = octets[at:size]
                if above in self.cuts:
                    cut = above
            at += 1 + relative[at]
        return cut

    def hides_apex(self) -> bool:
        """Whether an alias at the apex hides its NS and SOA (G133)."""
        plain = self.image.plain(self.find(b""))
        return plain != 0 and self.image.has_alias(plain)

    def wants_place(self) -> bool:
        """Whether the zone looks at more of a place than its country (G098, G182)."""
        return self.wants_coordinates or self.levels & (REGION | REGION_GROUP) != 0

    def find_wildcard(self, relative: bytes) -> tuple[int, bytes]:
        """The wildcard that covers a name which does not exist, and where it stands (RFC 4592 section 3.3.1).

        Returns 0 for the wildcard where none does. All names above one that exists do (RFC 8020), so the closest
        encloser is found in steps that double, then by halving: of 127 labels a few are looked up.
        """
        octets = relative
        size = len(relative)
        labels = missing = _count_labels(relative)
        there = 0
        step = 1
        while missing - there > 1:
            middle = there + step
            if middle >= missing:
                middle = there + missing >> 1
            if self.find(octets[_skip_labels(relative, labels - middle) : size]):
                there = middle
                step <<= 1
            else:
                missing = middle
                step = labels
        wildcard = WILDCARD + octets[_skip_labels(relative, labels - there) : size]
        return self.find(wildcard), wildcard


def name_lengths(names: Iterable[bytes]) -> bytes:
    """By a number of octets: 1 where one of these names has as many, else 0."""
    lengths = set(map(len, names))
    return bytes([length in lengths for length in range(NAME_OCTETS + 1)])


def _count_labels(relative: bytes) -> int:
    labels = 0
    at = 0
    while at < len(relative):
        at += 1 + relative[at]
        labels += 1
    return labels


def _skip_labels(relative: bytes, labels: int) -> int:
    """The octet at which what stands behind so many labels begins."""
    at = 0
    for _ in range(labels):
        at += 1 + relative[at]
    return at


def find_matches(image: Image, name: int, qtype: int, targets: tuple[bytes, ...]) -> list[Match]:
    """All that may answer, best first: per target the label's alias, then its CNAME, then the type (G112)."""
    matches: list[Match] = []
    _collect(image, name, qtype, targets, matches, [name])
    return matches


def find_first(image: Image, name: int, qtype: int, targets: tuple[bytes, ...], match: Match) -> bool:
    """Put the best match, which nearly always answers, into `match`; False if there is none.

    It is the first of `find_matches`, without the others.
    """
    for target in targets:
        label = image.label_for(name, target)
        if not label:
            continue
        if image.has_alias(label):
            matches = find_matches(image, name, qtype, targets)
            if matches:
                first = matches[0]
                match.begin(image, first.target, first.label, first.rrset.at)
            return len(matches) > 0
        at = image.first_set(label, qtype)
        if at:
            match.begin(image, target, label, at)
            return True
    return False


def _collect(
    image: Image, name: int, qtype: int, targets: tuple[bytes, ...], matches: list[Match], visited: list[int]
) -> None:
    """Append what `name` has; a name visited twice has nothing new to say, which also ends alias loops (G134).

    visited  the names that aliases have led to, the first one included
    """
    for target in targets:
        label = image.label_for(name, target)
        if not label:
            continue
        if image.has_alias(label):
            if qtype in (_NS, _SOA):  # HIDDEN_BY_ALIAS
                continue
            alias = image.alias(label)
            if alias and alias not in visited and len(visited) <= _LIMIT:
                visited.append(alias)
                _collect(image, alias, qtype, targets, matches, visited)
        at = image.first_set(label, qtype)
        if not at:
            continue
        matches.append(Match(image, target, label, at))
        beside = image.find_set(label, qtype)
        if beside not in (0, at):
            matches.append(Match(image, target, label, beside))


def find_any(image: Image, name: int, targets: tuple[bytes, ...]) -> list[list[Match]]:
    """For ANY: per type what may answer, best first.

    A plain label with records speaks for everybody (G140): alias first, then CNAME, then every type it has. A name that
    exists only in variants is answered per type like any other question (G141).
    """
    per_type: dict[int, list[Match]] = {}
    _collect_any(image, name, targets, per_type, [])
    if RRType.CNAME in per_type:
        return [per_type[RRType.CNAME]]
    return list(per_type.values())


def _collect_any(
    image: Image, name: int, targets: tuple[bytes, ...], per_type: dict[int, list[Match]], visited: list[int]
) -> None:
    if name in visited:
        return
    visited.append(name)
    for target, label in _speaking(image, name, targets):
        found: dict[int, list[Match]] = {}
        alias = image.alias(label)
        if alias and len(visited) <= ALIAS_LIMIT:
            _collect_any(image, alias, targets, found, visited)
        for rrtype, at in image.sets(label):
            found.setdefault(rrtype, []).append(Match(image, target, label, at))
        hidden = HIDDEN_BY_ALIAS if image.has_alias(label) else ()
        for rrtype, matches in found.items():
            if rrtype not in hidden:
                per_type.setdefault(rrtype, []).extend(matches)


def _speaking(image: Image, name: int, targets: tuple[bytes, ...]) -> list[tuple[bytes, int]]:
    """The labels that are asked for everything: the plain one alone if it has anything."""
    plain = image.plain(name)
    if plain and (image.sets(plain) or image.has_alias(plain)):
        return [(EVERYBODY, plain)]
    return image.labels_for(name, targets)


def first_rrset(image: Image, name: int, rrtype: int, targets: tuple[bytes, ...]) -> RRset | None:
    """The records of one type as they stand at a name, for the first target that has any; aliases are not followed."""
    for target in targets:
        label = image.label_for(name, target)
        at = image.find_set(label, rrtype) if label else 0
        if at:
            return RRset(image, at)
    return None
