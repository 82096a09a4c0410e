"""The names of a zone while it is built, and their links: variants, aliases, and what answers depend on. Pure.

What stands at a label is packed already; names and labels follow when all links are known (`zonepack`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .levels import EVERYBODY, IP
from .targeting import address_target_prefix, level_of_target
from .zonefile import variant_of

# Most names have no variants: one table for them all, never written to.
_NO_VARIANTS: dict[bytes, Label] = {}


class Label:
    """One label of the zone file.

    text   as in the file, in lower case
    sets   by type the place of its record set
    alias  the name whose records stand in for it; None without, or where there is no such name
    """

    __slots__ = ("alias", "closest", "has_alias", "is_checked", "max_hosts", "place", "sets", "text")

    def __init__(self, text: str, max_hosts: int, closest: bool, is_checked: bool) -> None:
        self.text = text
        self.max_hosts = max_hosts
        self.closest = closest
        self.is_checked = is_checked
        self.sets: dict[int, int] = {}
        self.alias: Name | None = None
        self.has_alias = False
        self.place = 0


class Name:
    """An owner name: its plain label and its variants by target; either may be missing.

    levels            which levels of targeting can change the answer for this name, as bits, aliases included
    address_prefixes  how many bits of an IPv4 and of an IPv6 address its address variants look at
    """

    __slots__ = ("address_prefixes", "levels", "place", "plain", "variants")

    def __init__(self, plain: Label | None = None) -> None:
        self.plain = plain
        self.variants = _NO_VARIANTS
        self.levels = 0
        self.address_prefixes = (0, 0)
        self.place = 0

    def labels(self) -> Iterator[Label]:
        """All labels that some client finds here."""
        if self.plain is not None:
            yield self.plain
        yield from self.variants.values()

    def labels_for(self, targets: tuple[bytes, ...]) -> list[Label]:
        """What each target finds here, in the targets' order (G092)."""
        found = [self.plain if target == EVERYBODY else self.variants.get(target) for target in targets]
        return [label for label in found if label is not None]


Names = dict[bytes, Name]


def link_variants(names: Names, levels: int) -> None:
    """Have each label whose name ends in a target answer that target's clients at the shorter name."""
    for relative in list(names):
        variant = variant_of(relative, levels)
        label = names[relative].plain
        if variant is None or label is None:
            continue
        name = names.setdefault(variant.base, Name())
        if name.variants is _NO_VARIANTS:
            name.variants = {}
        name.variants[variant.target] = label


def link_aliases(names: Names, aliases: Mapping[bytes, bytes]) -> None:
    """Have each label with an alias know the name that it leads to."""
    for relative, target in aliases.items():
        label = names[relative].plain
        assert label is not None
        label.has_alias = True
        label.alias = names.get(target)


def note_variant_levels(names: Names, levels: int) -> None:
    """Tell each name which levels can change what it answers by its variants; all are linked, and aliases too."""
    for name in names.values():
        if name.variants:
            _note_levels(name, levels)


def _note_levels(name: Name, levels: int) -> None:
    """Those of the variants that stand at one name.

    An empty variant (the parent of some longer label) changes nothing, unless it is all there is of the name.
    """
    ipv4, ipv6 = 0, 0
    for target, label in name.variants.items():
        if not label.sets and not label.has_alias and name.plain is not None:
            continue
        level = level_of_target(target.decode(), levels)
        name.levels |= level
        if level == IP:
            prefix = address_target_prefix(target.decode())
            ipv4, ipv6 = (ipv4, max(ipv6, prefix)) if b":" in target else (max(ipv4, prefix), ipv6)
    name.address_prefixes = (ipv4, ipv6)


def note_alias_levels(names: Names) -> None:
    """Add to each name the levels of all names that aliases lead to.

    What a name gains goes on to those that lead to it. There are only a few levels to gain: the time is linear.
    """
    leading: dict[Name, list[Name]] = {}
    for name in names.values():
        for label in name.labels():
            if label.alias is not None:
                leading.setdefault(label.alias, []).append(name)
    waiting = list(leading)
    while waiting:
        other = waiting.pop()
        waiting.extend([name for name in leading.get(other, ()) if _add_levels(name, other)])


def _add_levels(name: Name, other: Name) -> bool:
    """Whether `name` gains anything by what `other` looks at."""
    before = (name.levels, name.address_prefixes)
    ipv4, ipv6 = name.address_prefixes
    name.levels |= other.levels
    name.address_prefixes = (max(ipv4, other.address_prefixes[0]), max(ipv6, other.address_prefixes[1]))
    return (name.levels, name.address_prefixes) != before
