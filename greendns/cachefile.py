"""An image with its zones <-> the octets of one file of the cache. Loading side; opens nothing.

    octets of the head | cells | octets of the image    8 octets each, big-endian
    the head            JSON: health checks, targets, and of each zone what a LoadedZone and its Zone need
    the cells           8 octets each, in the order of this machine
    the octets of the image

Nothing in it is run, and nothing is believed before the SHA-256 of the whole was found to be the one that the file is
named by. From there on it is believed: places are not looked at again, and wrong ones could end a process.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, NamedTuple

from .errors import CacheError, Problem
from .image import Image, fill_anew
from .loaded import LoadedZone
from .regularfile import UNREAD
from .zone import Zone

_SIZE_OCTETS = 8
_SIZES = 3
_CELL_OCTETS = 8
# Most zones have none: one for them all.
_NO_CUTS: frozenset[bytes] = frozenset()


class Stored(NamedTuple):
    """The parts of a file whose hash was right; the cells may still be changed."""

    head: Mapping[str, Any]
    cells: array[int]
    octets: bytes


def octets_of(image: Image) -> int:
    """How large an image is."""
    return len(image.numbers) * _CELL_OCTETS + len(image.octets)


def encode(image: Image, zones: Mapping[str, LoadedZone]) -> tuple[bytes | memoryview, ...]:
    """The parts of the file of an image, its largest ones not copied.

    zones  those of this image, each by its name in the cache
    """
    targets = sorted(image.targets, key=image.targets.__getitem__)
    head = json.dumps(
        {
            "checks": image.checks,
            "targets": [target.decode("latin-1") for target in targets],
            "zones": {name: _encode_zone(loaded) for name, loaded in zones.items()},
        },
        separators=(",", ":"),
    ).encode()
    cells = memoryview(image.numbers).cast("B")
    sizes = [size.to_bytes(_SIZE_OCTETS, "big") for size in (len(head), len(cells) // _CELL_OCTETS, len(image.octets))]
    return (b"".join(sizes), head, cells, image.octets)


def _encode_zone(loaded: LoadedZone) -> list[object]:
    zone = loaded.zone
    assert zone is not None
    return [
        zone.origin.decode("latin-1"),
        zone.table,
        [cut.decode("latin-1") for cut in zone.cuts],
        zone.levels,
        zone.wants_coordinates,
        zone.soa_at,
        zone.text_cell,
        zone.serial,
        None if loaded.digest is None else loaded.digest.hex(),
        loaded.is_dated,
        loaded.loaded,
        loaded.load_seconds,
        [[problem.place, problem.expected, problem.found] for problem in loaded.warnings],
    ]


def read(file: BinaryIO, octets: int, digest: str) -> Stored:
    """The parts of a file of so many octets. Raises OSError, and CacheError for one that has another hash."""
    beginning = file.read(_SIZE_OCTETS * _SIZES)
    head_octets, cells, rest = (
        int.from_bytes(beginning[at : at + _SIZE_OCTETS], "big") for at in range(0, _SIZE_OCTETS * _SIZES, _SIZE_OCTETS)
    )
    # Before there is room made for it.
    if octets != len(beginning) + head_octets + cells * _CELL_OCTETS + rest:
        raise CacheError("is not as long as it was")
    head = file.read(head_octets)
    # Read in place: a copy would be as large.
    numbers = array("q", [0]) * cells
    of_cells = memoryview(numbers).cast("B")
    file.readinto(of_cells)  # type: ignore[attr-defined]
    image_octets = file.read(rest)
    if digest_of((beginning, head, of_cells, image_octets)) != digest:
        raise CacheError("is not as it was written")
    return Stored(json.loads(head), numbers, image_octets)


def digest_of(parts: Iterable[bytes | memoryview]) -> str:
    """The hash by which a file of these parts is named."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part)
    return hashed.hexdigest()


def decode(stored: Stored, files: Mapping[str, str]) -> dict[str, LoadedZone]:
    """The zones of a file that are wanted.

    files  by their names in the cache, where they come from
    """
    image = Image(array("q"))
    entries: Mapping[str, list[Any]] = stored.head["zones"]
    zones = {name: _decode_zone(entries[name], image, file) for name, file in files.items()}
    for loaded in zones.values():
        assert loaded.zone is not None
        fill_anew(stored.cells, stored.octets, loaded.zone.table)
    checks = tuple([tuple(each) for each in stored.head["checks"]])
    targets = {target.encode("latin-1"): number for number, target in enumerate(stored.head["targets"])}
    image.settle(stored.cells, stored.octets, checks, targets)
    return zones


def _decode_zone(fields: list[Any], image: Image, file: str) -> LoadedZone:
    origin, table, cuts, levels, wants_coordinates, soa_at, text_cell, serial, *rest = fields
    digest, is_dated, loaded, load_seconds, warnings = rest
    zone = Zone(
        origin=origin.encode("latin-1"),
        image=image,
        table=table,
        cuts=frozenset([cut.encode("latin-1") for cut in cuts]) if cuts else _NO_CUTS,
        levels=levels,
        wants_coordinates=wants_coordinates,
        soa_at=soa_at,
        text_cell=text_cell,
        serial=serial,
        file=file,
    )
    return LoadedZone(
        file=file,
        fingerprint=UNREAD,
        zone=zone,
        digest=None if digest is None else bytes.fromhex(digest),
        loaded=loaded,
        load_seconds=load_seconds,
        warnings=tuple([Problem(file, *warning) for warning in warnings]),
        is_dated=is_dated,
    )
