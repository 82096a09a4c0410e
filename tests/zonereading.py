"""What stands in a zone, unpacked for tests that look at how it was built."""

from __future__ import annotations

from dataclasses import dataclass

from greendns.image import HAS_ALIAS, IS_CHECKED, IS_CLOSEST, SETTING_BITS
from greendns.rrset import RRset
from greendns.zone import Zone


@dataclass(frozen=True)
class Label:
    """A label of the zone file; `alias` is the relative name that it leads to, None where it leads nowhere."""

    text: str
    max_hosts: int
    closest: bool
    is_checked: bool
    has_alias: bool
    alias: bytes | None
    rrsets: dict[int, RRset]


@dataclass(frozen=True)
class Name:
    """An owner name; the variants are places of labels, by target."""

    plain: Label | None
    variants: dict[bytes, int]
    levels: int
    address_prefixes: tuple[int, int]


def names_of(zone: Zone) -> dict[bytes, Name]:
    """Every name, by its relative wire form."""
    image = zone.image
    return {
        image.key(name): Name(
            label_at(zone, image.plain(name)) if image.plain(name) else None,
            dict(image.variants(name)),
            image.levels(name),
            image.address_prefixes(name),
        )
        for name in image.names(zone.table)
    }


def label_at(zone: Zone, at: int) -> Label:
    """The label that stands at a place."""
    image = zone.image
    settings = image.settings(at)
    return Label(
        text=image.text(at),
        max_hosts=settings >> SETTING_BITS,
        closest=settings & IS_CLOSEST != 0,
        is_checked=settings & IS_CHECKED != 0,
        has_alias=settings & HAS_ALIAS != 0,
        alias=image.key(image.alias(at)) if image.alias(at) else None,
        rrsets={rrtype: RRset(image, place) for rrtype, place in image.sets(at)},
    )
