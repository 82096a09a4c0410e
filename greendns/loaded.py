"""What was loaded: a generation, its zones and databases, and what is wrong with them. Pure data."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .cookiefile import LoadedSecrets
from .errors import Problem
from .geography import Database
from .regularfile import UNREAD, Fingerprint
from .settings import Config
from .snapshot import Snapshot
from .zone import Zone


@dataclass(frozen=True)
class LoadedZone:
    """A zone in service, and the file that it came from.

    fingerprint   of the file as last looked at, broken or not
    digest        of the octets that the zone was made from; None before the first good load
    loaded        when, in seconds since 1970; `load_seconds` is what it took
    is_dated      whether its serial is the time of the file
    """

    file: str
    fingerprint: Fingerprint
    zone: Zone | None = None
    digest: bytes | None = None
    loaded: float = 0.0
    load_seconds: float = 0.0
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    is_dated: bool = False

    @property
    def told(self) -> str:
        """Which version is served, for people."""
        serial = "" if self.zone is None else f"serial {self.zone.serial}, "
        return f"{self.file}: {serial}loaded at {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(self.loaded))}"


@dataclass(frozen=True)
class Kept:
    """What was served last by a server that has ended, as far as it was kept; see `lastgood`.

    zones, files  as in a generation; no zone has been compared with its file yet
    """

    zones: Mapping[str, LoadedZone] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


NOTHING_KEPT = Kept()


@dataclass(frozen=True)
class LoadedDatabase:
    """A MaxMind database in service, like a zone."""

    path: Path
    fingerprint: Fingerprint
    database: Database | None = None
    errors: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Generation:
    """One state of everything loaded, and how it came about.

    config_errors  of the configuration as it lies there now; `config` is what is in force
    files          what else the zones were read from: a pgeodns.conf and what it includes
    secrets        those of server cookies; None where no file has them
    """

    config: Config
    snapshot: Snapshot
    zones: Mapping[str, LoadedZone] = field(default_factory=dict)
    databases: Mapping[str, LoadedDatabase] = field(default_factory=dict)
    directory_errors: tuple[Problem, ...] = ()
    config_errors: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = ()
    secrets: LoadedSecrets | None = None

    def errors(self) -> tuple[Problem, ...]:
        """Everything that should be mended, zones first."""
        of_zones = [problem for loaded in self.zones.values() for problem in loaded.errors]
        of_sides = (*self.database_errors(), *self.secret_errors())
        return (*self.config_errors, *self.directory_errors, *of_zones, *self.twin_errors(), *of_sides)

    def twin_errors(self) -> Iterator[Problem]:
        """Files of one zone, told apart by case alone: the last in alphabetical order serves."""
        in_service: dict[bytes, str] = {}
        for loaded in self.serving():
            assert loaded.zone is not None
            earlier = in_service.get(loaded.zone.origin)
            if earlier is not None:
                yield Problem(loaded.file, "", "must be the only file of its zone", earlier)
            in_service[loaded.zone.origin] = loaded.file

    def database_errors(self) -> tuple[Problem, ...]:
        """What is wrong with the GeoIP databases."""
        return tuple([problem for loaded in self.databases.values() for problem in loaded.errors])

    def secret_errors(self) -> tuple[Problem, ...]:
        """What is wrong with the file of cookie secrets."""
        return self.secrets.errors if self.secrets is not None else ()

    def warnings(self) -> tuple[Problem, ...]:
        """What geodns would silently ignore."""
        return tuple([problem for loaded in self.zones.values() for problem in loaded.warnings])

    def unread(self) -> frozenset[Path]:
        """The files that could not be read at all, and are worth another try without a change."""
        zones = [Path(path) for path, loaded in self.zones.items() if loaded.fingerprint == UNREAD]
        secrets = () if self.secrets is None else (self.secrets,)
        others = [each.path for each in (*self.databases.values(), *secrets) if each.fingerprint == UNREAD]
        return frozenset([*zones, *others])

    def last_good(self) -> list[LoadedZone]:
        """The zones that are served as they were, since their files can't be used as they are."""
        return [loaded for loaded in self.serving() if loaded.errors or self.directory_errors]

    def health(self) -> Literal["ok", "degraded", "unavailable"]:
        """degraded where a file is broken and its last good version serves; unavailable without any zone."""
        if not self.serving():
            return "unavailable"
        return "degraded" if self.errors() else "ok"

    def serving(self) -> list[LoadedZone]:
        """The zones that come from files and are answered for."""
        return [loaded for loaded in self.zones.values() if loaded.zone is not None]
