"""What a zone's links are warned of: well-formed, but they lead nowhere or hide what should be seen. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .codes import RRType
from .errors import Problem
from .found import shown
from .levels import EVERYBODY
from .name import relative_text
from .zone import ALIAS_LIMIT, WILDCARD
from .zonelabel import label_place
from .zonelinks import Label, Name, Names


def check_links(file: str, names: Names, cuts: frozenset[bytes], aliases: Mapping[bytes, bytes]) -> Iterator[Problem]:
    """What there is to warn of in names that are linked.

    aliases  by the relative name of a label with an alias the relative name that it should lead to
    """
    faults = _AliasFaults(names) if aliases else None
    for relative, name in names.items():
        label = name.plain
        if label is None:
            continue
        if faults is not None and relative in aliases:
            yield from _check_alias(aliases[relative], label, file, names, faults)
        # The rest is about these and the apex alone.
        if not relative or RRType.CNAME in label.sets or RRType.NS in label.sets:
            yield from _check_label(relative, label, file, names, cuts)


def _check_label(relative: bytes, label: Label, file: str, names: Names, cuts: frozenset[bytes]) -> Iterator[Problem]:
    rrtypes = label.sets.keys() - {RRType.SOA}
    has_cname = RRType.CNAME in rrtypes
    if has_cname and len(rrtypes) > 1 and relative not in cuts:
        place = f"{label_place(label.text)}.cname"
        yield Problem(file, place, "hides the label's other types (RFC 1034 section 3.6.2)")
    if relative[:2] == WILDCARD and RRType.NS in rrtypes:
        yield Problem(file, f"{label_place(label.text)}.ns", "a wildcard is no delegation (RFC 4592 section 4.2)")
    if not relative and (label.has_alias or has_cname):
        yield Problem(file, label_place(label.text), "alias and cname at the apex hide the zone's own SOA and NS")
    if relative in cuts:
        yield from _check_cut(names[relative], file)


def _check_cut(name: Name, file: str) -> Iterator[Problem]:
    for label in name.labels():
        if RRType.CNAME in label.sets:
            yield Problem(file, f"data.{shown(label.text)}.cname", "is never answered: the name is delegated")


def _check_alias(target: bytes, label: Label, file: str, names: Names, faults: _AliasFaults) -> Iterator[Problem]:
    place = f"{label_place(label.text)}.alias"
    if target not in names:
        yield Problem(file, place, "must name a label of this zone", shown(relative_text(target)))
    elif label in faults.loops:
        yield Problem(file, place, "must not lead back to itself")
    elif label in faults.long:
        yield Problem(file, place, f"must not lead through more than {ALIAS_LIMIT} names")


class _AliasFaults:
    """The labels of a zone whose aliases lead back to them, for the clients of some target, and those that lead far."""

    def __init__(self, names: Names) -> None:
        self.loops: set[Label] = set()
        self.long: set[Label] = set()
        for name in names.values():
            if name.plain is not None:
                self.follow(name.plain, (EVERYBODY,))
            for target, label in name.variants.items():
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
    for name in names:  # which grows meanwhile
        for other in _aliased([name], targets):
            if other.alias is not None and other.alias not in names and len(names) <= ALIAS_LIMIT:
                names.append(other.alias)
    return names


def _aliased(names: list[Name], targets: tuple[bytes, ...]) -> list[Label]:
    """The labels with an alias that clients with these targets find."""
    return [label for name in names for label in name.labels_for(targets) if label.alias is not None]
