"""Names and labels that are linked -> the image that answers read: see `image` for its layout. Pure."""

from __future__ import annotations

from array import array

from . import image
from .codes import RRType
from .image import Image
from .packing import Packing
from .zonelinks import Label, Name, Names


def pack_names(names: Names, packing: Packing) -> Image:
    """The image of a zone whose record sets are packed already; `names` are not to be changed any more."""
    numbers = _number_targets(names)
    _place(names, len(packing.cells))
    for relative, name in names.items():
        cells = _name_cells(relative, name, numbers, packing)
        if name.plain is not None:
            cells += _label_cells(name.plain, packing)
        packing.add_cells(cells)
    # At most half of the slots are taken, so that the next free one is near.
    size = 1 << (2 * len(names) - 1).bit_length()
    slots = packing.add_cells(_fill_slots(names, size))
    return packing.image(numbers, slots, size)


def _number_targets(names: Names) -> dict[bytes, int]:
    """A number for each target that any name has a variant for."""
    numbers: dict[bytes, int] = {}
    for name in names.values():
        for target in name.variants:
            numbers.setdefault(target, len(numbers))
    return numbers


def _place(names: Names, at: int) -> None:
    """Give every name, and its plain label behind it, their places from `at` on."""
    for name in names.values():
        name.place = at
        at += image.FIRST + 2 * len(name.variants)
        if name.plain is not None:
            name.plain.place = at
            at += image.FIRST + len(name.plain.sets)


def _name_cells(relative: bytes, name: Name, numbers: dict[bytes, int], packing: Packing) -> list[int]:
    ipv4, ipv6 = name.address_prefixes
    cells = [
        packing.add_octets(relative) << image.KEY_BITS | len(relative),
        (ipv6 << 8 | ipv4) << image.LEVEL_BITS | name.levels,
        0 if name.plain is None else name.plain.place,
        len(name.variants),
    ]
    if name.variants:
        for variant in sorted([(numbers[target], label.place) for target, label in name.variants.items()]):
            cells += variant
    return cells


def _label_cells(label: Label, packing: Packing) -> list[int]:
    text = label.text.encode("utf-8", "surrogatepass")
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
        packing.add_octets(text) << image.TEXT_BITS | len(text),
        len(label.sets),
        *[at << image.TYPE_BITS | rrtype for rrtype, at in sets],
    ]


def _cname_first(each: tuple[int, int]) -> bool:
    return each[0] != RRType.CNAME


def _fill_slots(names: Names, size: int) -> array[int]:
    slots = array("q", bytes(8 * size))
    mask = size - 1
    for relative, name in names.items():
        slot = hash(relative) & mask
        while slots[slot]:
            slot = (slot + 1) & mask
        slots[slot] = name.place
    return slots
