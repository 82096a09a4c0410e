"""Names and labels that are linked -> the image that answers read: see `image` for its layout. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

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
        packing.cells.extend(_name_cells(relative, name, numbers, packing))
        if name.plain is not None:
            packing.cells.extend(_label_cells(name.plain, packing))
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


def _name_cells(relative: bytes, name: Name, numbers: dict[bytes, int], packing: Packing) -> Iterator[int]:
    ipv4, ipv6 = name.address_prefixes
    yield packing.add_octets(relative) << image.KEY_BITS | len(relative)
    yield (ipv6 << 8 | ipv4) << image.LEVEL_BITS | name.levels
    yield 0 if name.plain is None else name.plain.place
    yield len(name.variants)
    for number, label in sorted([(numbers[target], label.place) for target, label in name.variants.items()]):
        yield number
        yield label


def _label_cells(label: Label, packing: Packing) -> Iterator[int]:
    text = label.text.encode("utf-8", "surrogatepass")
    bits = (
        (image.IS_CLOSEST if label.closest else 0)
        | (image.IS_CHECKED if label.is_checked else 0)
        | (image.HAS_ALIAS if label.has_alias else 0)
    )
    yield label.max_hosts << image.SETTING_BITS | bits
    yield 0 if label.alias is None else label.alias.place
    yield packing.add_octets(text) << image.TEXT_BITS | len(text)
    yield len(label.sets)
    # A stable sort: a CNAME comes first, since it answers in place of what stands beside it.
    for rrtype, at in sorted(label.sets.items(), key=lambda each: each[0] != RRType.CNAME):
        yield at << image.TYPE_BITS | rrtype


def _fill_slots(names: Names, size: int) -> array[int]:
    slots = array("q", bytes(8 * size))
    mask = size - 1
    for relative, name in names.items():
        slot = hash(relative) & mask
        while slots[slot]:
            slot = (slot + 1) & mask
        slots[slot] = name.place
    return slots
