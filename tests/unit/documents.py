"""Zone documents -> zones and snapshots, for tests that need something to answer from."""

from __future__ import annotations

from collections.abc import Mapping

from greendns import name
from greendns.geography import EMPTY_GEO, Geo
from greendns.snapshot import ServerOptions, Snapshot
from greendns.zone import Zone
from greendns.zonebuild import build_zone
from greendns.zonedb import ZoneDB
from greendns.zonefile import ZoneSource, read_document

MTIME = 1_600_000_000


def source_of(data: Mapping[str, object], text: str = "example.com", **keys: object) -> ZoneSource:
    """The checked source of a document with these labels; `keys` are the zone's own."""
    return read_document({"data": data, **keys}, text, f"{text}.json", MTIME)[0]


def zone_of(data: Mapping[str, object], text: str = "example.com", **keys: object) -> Zone:
    """The zone of a document with these labels."""
    return build_zone(source_of(data, text, **keys))[0]


def link_problems(data: Mapping[str, object], **keys: object) -> list[str]:
    """What leads nowhere in a document, each as "place: claim"."""
    _, problems = build_zone(source_of(data, "example.com", **keys))
    return [f"{problem.place}: {problem.expected}" for problem in problems]


def snapshot_of(*zones: Zone, geo: Geo = EMPTY_GEO, options: ServerOptions | None = None) -> Snapshot:
    """A snapshot that serves these zones."""
    return Snapshot(ZoneDB(zones), geo, options or ServerOptions())


def relative(text: str) -> bytes:
    """A name below the origin, as zones have it."""
    return name.relative_from_text(text)
