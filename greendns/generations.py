"""How one generation follows another: the configuration read again, what changed loaded, what became of it told.

Loading side: no gevent. A keeper calls this in its own process; where one process does everything, it does so in a
thread beside the hub.
"""

from __future__ import annotations

import gc
import logging
import secrets
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from . import __version__, config, loader
from .access import make_prefixes
from .cookies import SECRET_OCTETS
from .errors import ConfigError, Problem
from .lastgood import LastGood
from .listeners import Listener
from .loaded import NOTHING_KEPT, Generation
from .settingkinds import AUTO
from .settinglist import changed_restart_settings, take_reloadable
from .settings import ANY_MINIMAL, CHAOS_OFF, Config
from .snapshot import ServerOptions

log = logging.getLogger("greendns")

# How many zones are told of by name whose last good versions serve.
_ZONES_TOLD = 100

# How grave it is, by the levels of logging, and what is told.
News = tuple[int, str]


@dataclass(frozen=True)
class Start:
    """How the server was started: what reading the configuration again needs.

    place      the configuration's file or directory; None where there is none
    overrides  settings from the command line, by name; they win over the file
    """

    place: Path | None
    overrides: Mapping[str, object]

    def read(self) -> Config:
        """The configuration as it lies there now. Raises ConfigError."""
        return config.load(self.place, self.overrides)

    @property
    def sources(self) -> tuple[Path, ...]:
        """Every path at which the configuration may be, or come to be."""
        if self.place is None:
            return ()
        if self.place.is_dir():
            return tuple([self.place / name for name in config.FILE_NAMES])
        return (self.place,)


def server_options(settings: Config, listening: list[Listener]) -> ServerOptions:
    """Who the server is: its identifier, else its first address beyond loopback, else the host name (G005, G006)."""
    usable = [each.host for each in listening if each.host not in ("127.0.0.1", "::1", "0.0.0.0", "::")]
    address = usable[0] if usable else ""
    hostname = socket.gethostname()
    identifier, _ = settings.server.identity
    return _with_settings(
        ServerOptions(
            identifier=identifier or address or hostname,
            address=address,
            hostname=hostname,
            version=__version__,
            started=time.time(),
            cookie_secrets=(secrets.token_bytes(SECRET_OCTETS),),
        ),
        settings,
    )


def _with_settings(options: ServerOptions, settings: Config) -> ServerOptions:
    return replace(
        options,
        public_debug_queries=settings.dns.public_debug_queries,
        udp_payload_octets=settings.dns.udp_payload_octets,
        idle_seconds=settings.tcp.idle_seconds,
        any_is_minimal=settings.dns.any == ANY_MINIMAL,
        stale_error=settings.dns.stale_error,
        chaos_version=_chaos_text(settings.chaos.version),
        chaos_identity=_chaos_text(settings.chaos.identity),
        chaos_hostname=_chaos_text(settings.chaos.hostname),
        may_ask=make_prefixes(settings.access.queries),
        may_debug=make_prefixes(settings.access.debug),
        cookies_required=settings.cookies.required,
    )


def _chaos_text(value: str) -> str | None:
    """What a CHAOS name says: empty for its usual text, None for nothing."""
    if value == CHAOS_OFF:
        return None
    return "" if value == AUTO else value


class Succession:
    """Makes the generations of a server, each from the one before, and remembers what it has told.

    slots      for how many workers there are sockets; 0: one process does everything
    last_good  where what is served is kept; None where nothing is
    collects   whether what was left over from a load is looked for at its end; not where answers would wait for that
    """

    def __init__(
        self,
        start: Start,
        options: ServerOptions,
        slots: int = 0,
        last_good: LastGood | None = None,
        collects: bool = False,
    ) -> None:
        self.start = start
        self.last_good = last_good
        self._slots = slots
        self._collects = collects
        self.options = options
        self._ignored: list[str] = []
        self._config_errors: tuple[Problem, ...] = ()

    def first(self, settings: Config) -> Generation:
        """The first load; broken zones are told, and left out unless their last good version was kept.

        Raises ConfigError for a database or file of secrets that can't be used, or a directory of zones of which none
        was kept: with that a server does not start.
        """
        with collector_resting():
            kept = NOTHING_KEPT if self.last_good is None else self.last_good.read(settings)
            generation = loader.load(settings, _with_settings(self.options, settings), kept=kept)
            # What no zone came from goes before there are processes to share it.
            del kept
        fatal = (*generation.database_errors(), *generation.secret_errors())
        if not generation.serving():
            fatal = (*generation.directory_errors, *fatal)
        if fatal:
            raise ConfigError(*fatal)
        log_news([*_tell_problems(generation), *_tell_last_good(generation)])
        if not generation.databases:
            log.warning("no GeoIP database in %s: answers go by @ alone", settings.geoip.find() or "the usual places")
        if not generation.serving():
            log.warning("no usable zone in %s: every question is refused", settings.zones.directory)
        return replace(generation, config_errors=self._config_errors)

    def anew(self, settings: Config) -> Generation:
        """A first load in a server that was started with `settings` and has no generation to go on from.

        Raises ConfigError as `first` does, and for a broken configuration: what it said before is in service, and not
        known here.
        """
        return self.first(self._take_fresh(settings, self._read_fresh(settings)))

    def following(self, previous: Generation, unsettled: frozenset[Path]) -> Generation:
        """What follows `previous`: only what changed is loaded, and of that nothing that has not settled."""
        settings = previous.config if unsettled.intersection(self.start.sources) else self._read_config(previous.config)
        with collector_resting(self._collects):
            loaded = loader.load(settings, _with_settings(self.options, settings), previous, unsettled)
        return replace(loaded, config_errors=self._config_errors)

    def _read_config(self, current: Config) -> Config:
        """The configuration anew; a broken one keeps the old, and so does what only a restart takes."""
        try:
            fresh = self._read_fresh(current)
        except ConfigError as error:
            self._config_errors = error.problems
            return current
        self._config_errors = ()
        return self._take_fresh(current, fresh)

    def _take_fresh(self, current: Config, fresh: Config) -> Config:
        """What a configuration that was read puts in force."""
        ignored = changed_restart_settings(current, fresh)
        taken = take_reloadable(current, fresh)
        if not self._has_sockets_for(fresh.server.worker_count):
            ignored.append("server.workers")
            taken = replace(taken, server=replace(taken.server, workers=current.server.workers))
        self._tell_ignored(ignored, fresh)
        for notice in fresh.notices:
            if notice not in current.notices:
                log.warning("%s", notice)
        return taken

    def _has_sockets_for(self, workers: int) -> bool:
        return min(1, self._slots) <= workers <= self._slots

    def _read_fresh(self, current: Config) -> Config:
        """The configuration as it lies there; one that is gone is an error like one that is broken."""
        fresh = self.start.read()
        if current.source is not None and fresh.source is None:
            raise ConfigError(Problem(str(current.source), "", "must be there, as it was: what it said stays in force"))
        return fresh

    def _tell_ignored(self, changed: list[str], fresh: Config) -> None:
        """Say which settings a reload does not take, once for each change of them."""
        if changed and changed != self._ignored:
            log.warning("%s: only a restart takes %s", fresh.source, ", ".join(changed))
        self._ignored = changed


@contextmanager
def collector_resting(collects: bool = False) -> Iterator[None]:
    """Load without the cyclic garbage collector, and have it leave alone what was loaded.

    It would walk over all zones again and again, with the hub waiting: measured with the pool zone rewritten under
    1,000 queries/s in one process, p99 fell from 77-160 ms to 5 ms, this and SWITCH_SECONDS together. Nor does it write
    to pages that are shared with workers. What is replaced goes by its reference counts; only labels whose aliases lead
    in a circle stay behind.
    """
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.collect()
        gc.freeze()
        gc.enable()


def _tell_problems(loaded: Generation, previous: Generation | None = None) -> Iterator[News]:
    """Every error and warning that is new."""
    known = {*previous.errors(), *previous.warnings()} if previous else set()
    yield from ((logging.ERROR, str(problem)) for problem in loaded.errors() if problem not in known)
    yield from ((logging.WARNING, str(problem)) for problem in loaded.warnings() if problem not in known)


def _tell_last_good(loaded: Generation) -> Iterator[News]:
    """What is served as it was before the start."""
    zones = loaded.last_good()
    yield from ((logging.WARNING, f"the last good version serves: {zone.told}") for zone in zones[:_ZONES_TOLD])
    if len(zones) > _ZONES_TOLD:
        yield logging.WARNING, f"the last good version serves: {len(zones)} zones in all"


def tell_change(previous: Generation, loaded: Generation) -> Iterator[News]:
    """What came, went and is wrong once `loaded` is in service in place of `previous`."""
    yield from _tell_problems(loaded, previous)
    for file, zone in loaded.zones.items():
        if zone.zone is not None and (file not in previous.zones or previous.zones[file].zone is not zone.zone):
            yield logging.INFO, f"{file}: serial {zone.zone.serial} is in service"
    for file in previous.zones.keys() - loaded.zones.keys():
        yield logging.INFO, f"{file}: is gone, and its zone with it"
    for kind, database in loaded.databases.items():
        if kind not in previous.databases or previous.databases[kind].database is not database.database:
            yield logging.INFO, f"{database.path}: is in service as the {kind} database"
    if loaded.secrets is not None and not loaded.secrets.errors and loaded.secrets is not previous.secrets:
        yield logging.INFO, f"{loaded.secrets.path}: {len(loaded.secrets.secrets)} in service as cookie secrets"
    for kind in previous.databases.keys() - loaded.databases.keys():
        yield logging.WARNING, f"{previous.databases[kind].path}: is gone: no {kind} database"


def tell_size(loaded: Generation) -> str:
    """How much is served, and how much of what there is is wrong, in few words."""
    return f"{len(loaded.serving())} zones, {len(loaded.errors())} errors"


def log_news(news: Iterable[News]) -> None:
    """Log each as grave as it is."""
    for level, text in news:
        log.log(level, "%s", text)
