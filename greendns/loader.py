"""Config -> Generation: everything loaded, checked and ready to be swapped in; what did not change is shared.

Loading side: reads files, knows no gevent and no answers. A file that cannot be used keeps its last good version and
leaves its problems in the generation: `greendns check` prints them, the server logs them and tells them on /health.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from . import convert, geoip, pgeodns
from .codes import ADDRESS_TYPES, SERIAL_MAX
from .cookiefile import LoadedSecrets, load_secrets
from .errors import ConfigError, Problem, UnreadError
from .found import printable
from .geography import Database, Geo, Kind
from .image import IS_CLOSEST
from .loaded import NOTHING_KEPT, Generation, Kept, LoadedDatabase, LoadedZone
from .packing import Packing
from .regularfile import UNREAD, Fingerprint, fingerprint, read_file
from .rrset import RRset
from .settings import Config
from .snapshot import Coordinates, Place, ServerOptions, Snapshot
from .zone import Zone
from .zonebuild import builtin_zone, read_zone
from .zonedb import ZoneDB
from .zonefile import LARGE_OCTETS, ZoneReader, parse_document, zone_name


def zone_paths(directory: Path) -> list[Path]:
    """The zone files of a directory: `*.json` in any case, no dotfiles, not recursive (G030). Raises OSError."""
    with os.scandir(directory) as entries:
        names = [
            entry.name
            for entry in entries
            if entry.name.lower().endswith(".json") and entry.name[0] != "." and not _is_directory(entry)
        ]
    return [directory / name for name in sorted(names)]


def _is_directory(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a directory, links followed; one that can't be looked at is that file's problem."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def watched_paths(config: Config) -> dict[Path, Fingerprint | None]:
    """Every file that a load would read, as it looks now; a directory that can't be read, as None."""
    paths = list(geoip.find_files(config.geoip.find()).values())
    if config.cookies.secret_file is not None:
        paths.append(config.cookies.secret_file)
    if config.zone_format == "json":
        try:
            paths += zone_paths(config.zones.directory)
        except OSError:
            return {config.zones.directory: None, **{path: fingerprint(path) for path in paths}}
    return {path: fingerprint(path) for path in paths}


def load(
    config: Config,
    options: ServerOptions,
    previous: Generation | None = None,
    unsettled: frozenset[Path] = frozenset(),
    kept: Kept = NOTHING_KEPT,
) -> Generation:
    """Load everything; never raises for what an operator wrote.

    previous    what is in service: unchanged files are not read again, broken ones keep what they had
    unsettled   files that are being written: as if they were not touched yet
    kept        what was served last, if nothing is in service yet
    """
    databases = _load_databases(config, previous, unsettled)
    if previous is not None and unsettled.intersection(previous.files):
        zones, files, errors = previous.zones, previous.files, previous.directory_errors
    else:
        zones, files, errors = _try_zones(config, previous or kept, unsettled)
    secrets = _load_secrets(config, options, previous, unsettled)
    if secrets is not None:
        options = replace(options, cookie_secrets=secrets.secrets)
    snapshot = _snapshot(zones, databases, options, previous)
    return Generation(config, snapshot, zones, databases, errors, files=files, secrets=secrets)


def _load_secrets(
    config: Config, options: ServerOptions, previous: Generation | None, unsettled: frozenset[Path]
) -> LoadedSecrets | None:
    path = config.cookies.secret_file
    if path is None:
        return None
    before = previous.secrets if previous else None
    if path in unsettled and before is not None:
        return before
    in_force = previous.snapshot.options if previous else options
    return load_secrets(path, before, in_force.cookie_secrets)


Zones = Mapping[str, LoadedZone]


def _try_zones(
    config: Config, before: Generation | Kept, unsettled: frozenset[Path]
) -> tuple[Zones, tuple[Path, ...], tuple[Problem, ...]]:
    """The zones, what else they were read from, and what is wrong with the whole."""
    try:
        if config.zone_format == "pgeodns":
            return (*_load_pgeodns(config, before.zones), ())
        # Thousands of small zones share an image, so that there is less to fetch for each answer. Only those of the
        # first load: an image lives as long as any of its zones, and of what changes later nothing old may stay.
        shared = Packing() if isinstance(before, Kept) or not before.zones else None
        return _load_zones(config, before.zones, unsettled, shared), (), ()
    except (OSError, ConfigError) as error:
        # G039: a directory that cannot be read takes no zone away.
        return before.zones, before.files, _problems(error, config)


def _problems(error: OSError | ConfigError, config: Config) -> tuple[Problem, ...]:
    if isinstance(error, ConfigError):
        return error.problems
    return (Problem(str(config.zones.directory), "", f"must be a directory that can be read: {error.strerror}"),)


def load_files(paths: list[Path]) -> list[LoadedZone]:
    """Load single zone files, as `greendns check FILE...` does."""
    return [_load_zone(path, None, None) for path in paths]


# -- zones


def _load_zones(config: Config, before: Zones, unsettled: frozenset[Path], shared: Packing | None) -> Zones:
    paths = [path for path in zone_paths(config.zones.directory) if path not in unsettled]
    kept = {str(path): before[str(path)] for path in unsettled if str(path) in before}
    zones = {str(path): _load_zone(path, before.get(str(path)), shared) for path in paths}
    if shared is not None:
        shared.settle()
    return {**zones, **kept}


def _load_zone(path: Path, before: LoadedZone | None, shared: Packing | None) -> LoadedZone:
    """One file: skipped if it looks the same, or reads the same; its last good zone if it is broken (G032-G034).

    shared  what a small zone is packed to, and who calls settles that; None for an image of its own
    """
    started = time.monotonic()
    if before is not None and before.fingerprint == fingerprint(path):
        return before
    file = printable(path)
    try:
        octets, seen = read_file(path)
    except OSError as error:
        return _broken(file, UNREAD, before, UnreadError(file, error))
    digest = hashlib.sha256(octets).digest()
    if before is not None and before.digest == digest and not _is_redated(before, seen):
        return replace(before, fingerprint=seen, errors=())
    packing = Packing() if shared is None or len(octets) >= LARGE_OCTETS else shared
    try:
        document = parse_document(octets, file)
        # The document has the text: the octets are not kept beside it while the zone grows.
        del octets
        zone, warnings = read_zone(ZoneReader(document, zone_name(path), file, seen[0] // 10**9), packing)
    except ConfigError as error:
        return _broken(file, seen, before, error)
    if packing is not shared:
        packing.settle()
    return replace(_loaded(file, zone, warnings, seen, digest, started), is_dated=zone.serial == _dated_serial(seen))


def _is_redated(before: LoadedZone, seen: Fingerprint) -> bool:
    """Whether a zone that was kept, and whose serial is the time of its file, has another one now."""
    assert before.zone is not None
    return before.is_dated and before.fingerprint == UNREAD and before.zone.serial != _dated_serial(seen)


def _dated_serial(seen: Fingerprint) -> int:
    """The serial of a file that has none in it (G041)."""
    return seen[0] // 10**9 & SERIAL_MAX


def _broken(file: str, seen: Fingerprint, before: LoadedZone | None, error: ConfigError) -> LoadedZone:
    """What was served before, with what is wrong now; the warnings stay those of what is served."""
    if before is None:
        return LoadedZone(file, seen, errors=error.problems, warnings=error.warnings)
    return replace(before, fingerprint=seen, errors=error.problems)


def _loaded(
    file: str, zone: Zone, warnings: list[Problem], seen: Fingerprint, digest: bytes, started: float
) -> LoadedZone:
    return LoadedZone(file, seen, zone, digest, time.time(), time.monotonic() - started, warnings=tuple(warnings))


def _load_pgeodns(config: Config, before: Zones) -> tuple[Zones, tuple[Path, ...]]:
    """The bases of a pgeodns.conf, converted, and the files read; any error keeps all that was (P26, P42)."""
    assert config.source is not None
    started = time.monotonic()
    bases = pgeodns.read(config.source)
    seen = fingerprint(config.source) or UNREAD
    zones: dict[str, LoadedZone] = {}
    for text, document in convert.zone_documents(bases).items():
        file = f"{config.source}#{text}"
        digest = hashlib.sha256(repr(document).encode("utf-8", "replace")).digest()
        if file in before and before[file].digest == digest:
            zones[file] = before[file]
            continue
        packing = Packing()
        zone, warnings = read_zone(ZoneReader(document, text, file, seen[0] // 10**9), packing)
        packing.settle()
        zones[file] = _loaded(file, zone, warnings, seen, digest, started)
    return zones, bases.files


# -- geography


def _load_databases(
    config: Config, previous: Generation | None, unsettled: frozenset[Path]
) -> Mapping[str, LoadedDatabase]:
    before = previous.databases if previous else {}
    found = geoip.find_files(config.geoip.find())
    loaded = {kind: _load_database(kind, found.get(kind), before.get(kind), unsettled) for kind in geoip.KINDS}
    return {kind: database for kind, database in loaded.items() if database is not None}


def _load_database(
    kind: Kind, path: Path | None, before: LoadedDatabase | None, unsettled: frozenset[Path]
) -> LoadedDatabase | None:
    if path in unsettled or (before is not None and before.path in unsettled):
        return before
    if path is None:
        return None
    seen = fingerprint(path) or UNREAD
    if before is not None and before.path == path and before.fingerprint == seen != UNREAD:
        return before
    try:
        return LoadedDatabase(path, seen, geoip.open_database(path, kind))
    except ConfigError as error:
        looked_at = UNREAD if isinstance(error, UnreadError) else seen
        return LoadedDatabase(path, looked_at, before.database if before else None, error.problems)


def _geo(databases: Mapping[str, LoadedDatabase], previous: Generation | None) -> Geo:
    def of(kind: str) -> Database | None:
        return databases[kind].database if kind in databases else None

    geo = Geo(of("City"), of("Country"), of("ASN"))
    if previous is None:
        return geo
    before = previous.snapshot.geo
    is_same = (geo.city, geo.country, geo.asn) == (before.city, before.country, before.asn)
    return before if is_same else geo


# -- the snapshot


def _snapshot(
    zones: Mapping[str, LoadedZone],
    databases: Mapping[str, LoadedDatabase],
    options: ServerOptions,
    previous: Generation | None,
) -> Snapshot:
    in_service = [loaded.zone for loaded in zones.values() if loaded.zone is not None]
    # The built-in zone comes first: a file of the same name takes its place.
    serving = [builtin_zone(), *in_service]
    _number(serving)
    zonedb = ZoneDB(serving)
    geo = _geo(databases, previous)
    known: Mapping[Place, tuple[Coordinates | None, ...]] = {}
    if previous is not None and previous.snapshot.geo is geo:
        known = previous.snapshot.coordinates
    placed = {(rrset.image, rrset.at): rrset for rrset in _placed_rrsets(in_service)}
    coordinates = {place: known.get(place) or _coordinates(rrset, geo) for place, rrset in placed.items()}
    return Snapshot(zonedb, geo, options, coordinates, _stale_zones(zones) if options.stale_error else frozenset())


def _stale_zones(zones: Mapping[str, LoadedZone]) -> frozenset[int]:
    """The numbers of the zones that are served as they were, since their file is broken now."""
    return frozenset([loaded.zone.number for loaded in zones.values() if loaded.zone is not None and loaded.errors])


def _number(zones: list[Zone]) -> None:
    """Give each zone that has none a number of its own, from 1; a zone that did not change keeps it."""
    highest = max(zone.number for zone in zones)
    for zone in zones:
        if not zone.number:
            zone.number = highest = highest + 1


def _placed_rrsets(zones: list[Zone]) -> Iterator[RRset]:
    """The addresses that are answered by distance; a newer City database moves them too (G161, G167)."""
    for zone in zones:
        if not zone.wants_coordinates:
            continue
        image = zone.image
        for label in filter(None, map(image.plain, image.names(zone.table))):
            if image.settings(label) & IS_CLOSEST:
                yield from [RRset(image, at) for rrtype, at in image.sets(label) if rrtype in ADDRESS_TYPES]


def _coordinates(rrset: RRset, geo: Geo) -> tuple[Coordinates | None, ...]:
    database = geo.locator(needs_city=True)
    if database is None:
        return (None,) * len(rrset)
    return tuple([database.find(rdata)[0].coordinates for rdata in rrset.rdatas])
