"""An image and its zones become the octets of a file, and come back as they were, or not at all."""

from __future__ import annotations

import io
import json
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from greendns import cachefile, lastgood
from greendns.errors import CacheError
from greendns.image import fill_anew
from greendns.loaded import LoadedZone
from greendns.loader import load_files
from tests.serving import write_zones

# It has something of everything that an image and its zones may have.
ZONE: dict[str, Any] = {
    "serial": 7,
    "max_hosts": 2,
    "targeting": "@ country continent ip asn",
    "unknown": "a warning",
    "data": {
        "": {"ns": ["ns1.example.net.", "ns2.example.net."]},
        "www": {
            "health": {"name": "pool", "type": "tcp"},
            "a": [{"a": f"192.0.2.{n}", "weight": n, "health": "sites/up"} for n in range(50)],
        },
        "www.dk": {"a": [["192.0.2.1", 10]]},
        "www.[192.0.2.0]": {"aaaa": [["2001:db8::1"]]},
        "near": {"closest": True, "a": [["192.0.2.1"], ["198.51.100.1"], ["203.0.113.1"]]},
        "text": {"txt": ["short", "x" * 300], "mx": [{"mx": "mail.example.net.", "preference": 1}]},
        "other": {"alias": "www"},
        "*.wild": {"cname": "www"},
        "below": {"ns": ["ns.below"]},
    },
}
NAME = "example.com.json"
# What the zone above becomes.
FORMAT, LAYOUT = 1, "fb75f88b87fe3c189fe90bb4b11c0f643f1a0cd84b6b755d8c9903961f6c847a"


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedZone:
    write_zones(tmp_path, {"example.com": ZONE})
    (loaded,) = load_files([tmp_path / NAME])
    assert loaded.zone is not None
    assert loaded.warnings
    return loaded


@pytest.fixture
def parts(loaded: LoadedZone) -> list[bytes]:
    assert loaded.zone is not None
    return [bytes(part) for part in cachefile.encode(loaded.zone.image, {NAME: loaded})]


def read(octets: bytes, digest: str) -> cachefile.Stored:
    return cachefile.read(io.BytesIO(octets), len(octets), digest)


def test_a_zone_comes_back_as_it_was(loaded: LoadedZone, parts: list[bytes]) -> None:
    """All that it is, and where it came from; but nobody has looked at its file."""
    assert loaded.zone is not None
    zones = cachefile.decode(read(b"".join(parts), cachefile.digest_of(parts)), {NAME: loaded.file})

    (again,) = zones.values()
    assert again.zone is not None
    fields = "origin text table cuts levels wants_coordinates soa_at text_cell serial file number"
    assert [getattr(again.zone, each) for each in fields.split()] == [
        getattr(loaded.zone, each) for each in fields.split()
    ]
    assert (again.digest, again.loaded, again.load_seconds, again.warnings, again.is_dated, again.errors) == (
        loaded.digest,
        loaded.loaded,
        loaded.load_seconds,
        loaded.warnings,
        False,
        (),
    )
    image, before = again.zone.image, loaded.zone.image
    assert (image.octets, image.checks, image.targets) == (before.octets, before.checks, before.targets)
    assert sorted(image.numbers) == sorted(before.numbers)


def test_only_what_is_wanted_comes_back(loaded: LoadedZone, parts: list[bytes]) -> None:
    """The others may be old."""
    assert cachefile.decode(read(b"".join(parts), cachefile.digest_of(parts)), {}) == {}


def broken_copies(parts: list[bytes]) -> Iterator[bytes]:
    """The file with an octet flipped at the beginning, in the middle and at the end of each part, and cut there."""
    whole = b"".join(parts)
    at = 0
    for part in parts:
        for place in (at, at + len(part) // 2, at + len(part) - 1):
            yield whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :]
            yield whole[:place]
        at += len(part)
    yield whole + b"\0"
    yield b""


def test_whatever_was_changed_is_noticed(parts: list[bytes]) -> None:
    """Before anything of it is used, or room made for it."""
    digest = cachefile.digest_of(parts)
    copies = list(broken_copies(parts))
    assert len(copies) == 4 * 3 * 2 + 2
    for copy in copies:
        with pytest.raises(CacheError):
            read(copy, digest)


def test_a_name_is_found_wherever_another_process_had_put_it(loaded: LoadedZone) -> None:
    """By the hashes of this one: the slots of a table are filled anew."""
    assert loaded.zone is not None
    image, table = loaded.zone.image, loaded.zone.table
    cells = array("q", image.numbers)
    first, end = table + 1, table + 2 + cells[table]
    names = {place for place in cells[first:end] if place}
    cells[first:end] = array("q", sorted(cells[first:end]))
    assert cells != array("q", image.numbers)

    fill_anew(cells, image.octets, table)

    assert {place for place in cells[first:end] if place} == names
    moved = type(image)(array("q"))
    moved.settle(cells, image.octets, image.checks, image.targets)
    assert {moved.find(table, image.key(name)) for name in names} == names


def test_a_layout_has_a_number_of_its_own(loaded: LoadedZone, parts: list[bytes]) -> None:
    """What was written by a program with the same number must be readable: see lastgood.FORMAT."""
    assert loaded.zone is not None
    cells = array("q", loaded.zone.image.numbers)
    table = loaded.zone.table
    # Where names stand in a table is by chance.
    cells[table + 1 : table + 2 + cells[table]] = array("q", sorted(cells[table + 1 : table + 2 + cells[table]]))
    head = json.loads(parts[1])
    shape = json.dumps([list(head), [type(field).__name__ for field in head["zones"][NAME]], head["checks"][0][:2]])

    layout = cachefile.digest_of([repr(list(cells)).encode(), loaded.zone.image.octets, shape.encode()])
    assert (lastgood.FORMAT, layout) == (FORMAT, LAYOUT), "where an old file would be misread: raise lastgood.FORMAT"
