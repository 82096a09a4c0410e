"""Names and labels that are linked -> cells, as answers read them: see `image` for their layout. Pure."""

from __future__ import annotations

from . import image
from .codes import RRType
from .packing import Packing
from .zonelinks import Label, Name, Names


def pack_names(names: Names, packing: Packing) -> int:
    """The place of a zone's table; `names` are not to be changed any more."""
    for name in names.values():
        for target in name.variants:
            packing.targets.setdefault(target, len(packing.targets))
    _place(names, len(packing.cells))
    for relative, name in names.items():
        cells = _name_cells(relative, name, packing)
        if name.plain is not None:
            cells += _label_cells(name.plain, packing)
        packing.add_cells(cells)
    return packing.add_table({relative: name.place for relative, name in names.items()})


def _place(names: Names, at: int) -> None:
    """Give every name, and its plain label behind it, their places from `at` on."""
    for name in names.values():
        name.place = at
        at += image.FIRST + 2 * len(name.variants)
        if name.plain is not None:
            name.plain.place = at
            at += image.FIRST + len(name.plain.sets)


def _name_cells(relative: bytes, name: Name, packing: Packing) -> list[int]:
    ipv4, ipv6 = name.address_prefixes
    cells = [
        packing.add_key(relative),
        (ipv6 << 8 | ipv4) << image.LEVEL_BITS | name.levels,
        0 if name.plain is None else name.plain.place,
        len(name.variants),
    ]
    if name.variants:
        for variant in sorted([(packing.targets[target], label.place) for target, label in name.variants.items()]):
            cells += variant
    return cells


def _label_cells(label: Label, packing: Packing) -> list[int]:
    bits = (
        (image.IS_CLOSEST if label.closest else 0)
        | (image.IS_CHECKED if label.is_checked else 0)
        | (image.HAS_ALIAS if label.has_alias else 0)
    )
    # A stable sort: a CNAME comes first, since it answers in place of what stands beside it.
    sets = sorted(label.sets.items(), key=_cname_first) if RRType.CNAME in label.sets else label.sets.items()
    return [
        label.max_hosts << image.SETTING_BITS | bits,
        0 if label.alias is None else label.alias.place,
        packing.add_text(label.text),
        len(label.sets),
        *[at << image.TYPE_BITS | rrtype for rrtype, at in sets],
    ]


def _cname_first(each: tuple[int, int]) -> bool:
    return each[0] != RRType.CNAME
