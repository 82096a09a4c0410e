"""One process: its servers, its watcher, the swap of generations, and a polite stop."""

from __future__ import annotations

import errno
import gc
import logging
import resource
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import gevent
from gevent.baseserver import BaseServer
from gevent.event import Event
from gevent.pool import Pool

from . import __version__, config, listeners, loader
from .errors import ConfigError, Problem
from .healthfiles import HealthFiles
from .listeners import Listener
from .loader import Generation
from .metrics import Counters, ServerCollector, registry_of
from .server import Responder, TcpServer, UdpServer
from .settings import EVERY_ADDRESS, Config, changed_restart_settings, take_reloadable
from .snapshot import ServerOptions
from .statuspage import StatusApp, http_server
from .watcher import Watcher, in_thread, read_state

log = logging.getLogger("greendns")

# G011: what is being answered may take so long to finish.
STOP_SECONDS = 3.0
# How long a load in a thread may keep the interpreter from the hub; Python's own 5 ms are felt in every answer.
SWITCH_SECONDS = 0.001
# For listeners, HTTP, files being read and what libraries open.
SPARE_DESCRIPTORS = 256
HEALTH_SECONDS = 1.0  # G173


@dataclass(frozen=True)
class Start:
    """How the process was started: what reading the configuration again needs.

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
    usable = [each.host for each in listening if each.host not in ("127.0.0.1", "::1")]
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
            cookie_secret=secrets.token_bytes(16),
        ),
        settings,
    )


def _with_settings(options: ServerOptions, settings: Config) -> ServerOptions:
    return replace(
        options,
        public_debug_queries=settings.dns.public_debug_queries,
        udp_payload_octets=settings.dns.udp_payload_octets,
    )


class Worker:
    """Serves until told to stop."""

    def __init__(self, start: Start, settings: Config) -> None:
        """Bind everything and load everything. Raises ConfigError for what the operator must mend first."""
        self.start = start
        self.listening = listeners.bind_all(settings.server.addresses)
        self.http_listening = _bind_http(settings)
        # Before anything is loaded: what changes from here on is seen by the watcher.
        self._reading = read_state(settings, start.sources)
        self.options = server_options(settings, self.listening)
        self.generation = _first_generation(settings, self.options)
        _, groups = settings.server.identity
        self.counters = Counters()
        self.collector = ServerCollector(self.counters, groups)
        self.responder = Responder(self.generation.snapshot, self.counters)
        self.app = StatusApp(registry_of(self.collector), self.generation, settings.http)
        self.tcp_servers: list[TcpServer] = []
        self._connections = Pool(settings.tcp.max_connections)
        self._ignored: list[str] = []
        self._config_errors: tuple[Problem, ...] = ()
        self._stopping = Event()
        self._hand_over(self.generation)

    def run(self, report: Callable[[str], None]) -> None:
        """Serve until SIGTERM or SIGINT; `report` is told each address once it is served."""
        sys.setswitchinterval(SWITCH_SECONDS)
        _want_descriptors(self.generation.config.tcp.max_connections)
        servers: list[BaseServer] = []
        for each in self.listening:
            # The word of an address comes from the listener: the servers take its sockets over.
            tcp = TcpServer(each.tcp, self.responder, self.generation.config.tcp, self._connections)
            self.tcp_servers.append(tcp)
            servers += [UdpServer(each.udp, self.responder), tcp]
        if self.http_listening is not None:
            http_address = listeners.socket_text(*self.http_listening.getsockname()[:2])
            servers.append(http_server(self.http_listening, self.app))
        for server in servers:
            server.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, self._stopping.set)
        self._watch()
        if self.generation.config.health.directory is not None:
            gevent.spawn(self._read_health, HealthFiles(self.generation.config.health.directory))
        for each in self.listening:
            report(f"listening on {each}")
        if self.http_listening is not None:
            report(f"http on {http_address}")
        else:
            report("http off")
        self._stopping.wait()
        gevent.joinall([gevent.spawn(server.stop, STOP_SECONDS) for server in servers], timeout=STOP_SECONDS + 1)

    def _watch(self) -> None:
        self.watcher = Watcher(self.generation, self.start.sources, self._reading, self._reload)
        gevent.signal_handler(signal.SIGHUP, self.watcher.wake)
        self.watcher.start()

    def _read_health(self, files: HealthFiles) -> None:
        """Keep the states of all checks as the status files have them, each second (G173); a greenlet of its own."""
        while True:
            try:
                self.responder.take_health(in_thread(files.read))
            except Exception:
                # What was read last stays in force, and the next second tries again.
                log.exception("reading the health states failed")
            gevent.sleep(HEALTH_SECONDS)

    # -- the way of a change

    def _reload(self, unsettled: frozenset[Path]) -> Generation:
        """Load what changed, in a thread, and swap it in; runs in the watcher's greenlet."""
        previous = self.generation
        settings = previous.config if unsettled.intersection(self.start.sources) else self._read_config()
        options = _with_settings(self.options, settings)
        with _collector_resting():
            loaded: Generation = in_thread(loader.load, settings, options, previous, unsettled)
        loaded = replace(loaded, config_errors=self._config_errors)
        # First of all: no log that can't be written may hold it back.
        self._hand_over(loaded)
        self._log_change(previous, loaded)
        return loaded

    def _read_config(self) -> Config:
        """The configuration anew; a broken one keeps the old, and so does what only a restart takes."""
        current = self.generation.config
        try:
            fresh = self._read_fresh()
        except ConfigError as error:
            self._config_errors = error.problems
            return current
        self._config_errors = ()
        self._tell_ignored(changed_restart_settings(current, fresh), fresh)
        for notice in fresh.notices:
            if notice not in current.notices:
                log.warning("%s", notice)
        return take_reloadable(current, fresh)

    def _read_fresh(self) -> Config:
        """The configuration as it lies there; one that is gone is an error like one that is broken."""
        fresh: Config = in_thread(self.start.read)
        source = self.generation.config.source
        if source is not None and fresh.source is None:
            raise ConfigError(Problem(str(source), "", "must be there, as it was: what it said stays in force"))
        return fresh

    def _tell_ignored(self, changed: list[str], fresh: Config) -> None:
        """Say which settings a reload does not take, once for each change of them."""
        if changed and changed != self._ignored:
            log.warning("%s: only a restart takes %s", fresh.source, ", ".join(changed))
        self._ignored = changed

    def _hand_over(self, generation: Generation) -> None:
        """Put a generation into service: for answers that is one assignment of the snapshot."""
        self.generation = generation
        self.responder.take_snapshot(generation.snapshot)
        self.responder.detailed = generation.config.dns.detailed_metrics
        self.collector.generation = generation
        self.app.generation = generation
        self.app.settings = generation.config.http
        logging.getLogger().setLevel(generation.config.server.log_level.upper())
        if generation.config.tcp.max_connections != self._connections.size:
            self._connections = Pool(generation.config.tcp.max_connections)
        for server in self.tcp_servers:
            server.take(generation.config.tcp, self._connections)

    def _log_change(self, previous: Generation, loaded: Generation) -> None:
        self.counters.reloads["error" if loaded.errors() else "ok"] += 1
        log_problems(loaded, previous)
        for file, zone in loaded.zones.items():
            if zone.zone is not None and (file not in previous.zones or previous.zones[file].zone is not zone.zone):
                log.info("%s: serial %d is in service", file, zone.zone.serial)
        for file in previous.zones.keys() - loaded.zones.keys():
            log.info("%s: is gone, and its zone with it", file)
        for kind, database in loaded.databases.items():
            if kind not in previous.databases or previous.databases[kind].database is not database.database:
                log.info("%s: is in service as the %s database", database.path, kind)
        for kind in previous.databases.keys() - loaded.databases.keys():
            log.warning("%s: is gone: no %s database", previous.databases[kind].path, kind)


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Load without the cyclic garbage collector, and have it leave alone what was loaded.

    It would walk over all zones again and again, with the hub waiting: measured with the pool zone rewritten under
    1,000 queries/s, p99 fell from 77-160 ms to 5 ms, this and SWITCH_SECONDS together. What is replaced goes by its
    reference counts; only labels whose aliases lead in a circle stay behind.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _want_descriptors(connections: int) -> None:
    """Raise the soft limit of open files as far as it goes: a full house of connections must leave some."""
    needed = connections + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < needed:
            log.warning("%d open files are allowed: tcp.max_connections needs %d", allowed, needed)


def log_problems(loaded: Generation, previous: Generation | None = None) -> None:
    """Log every error and warning that is new."""
    known = {*previous.errors(), *previous.warnings()} if previous else set()
    for problem in loaded.errors():
        if problem not in known:
            log.error("%s", problem)
    for problem in loaded.warnings():
        if problem not in known:
            log.warning("%s", problem)


def _first_generation(settings: Config, options: ServerOptions) -> Generation:
    """The first load. Broken zones are told and left out; a directory or database that can't be read ends the start."""
    with _collector_resting():
        generation = loader.load(settings, options)
    fatal = (*generation.directory_errors, *generation.database_errors())
    if fatal:
        raise ConfigError(*fatal)
    log_problems(generation)
    if not generation.databases:
        log.warning("no GeoIP database in %s: answers go by @ alone", settings.geoip.find() or "the usual places")
    if not generation.serving():
        log.warning("no usable zone in %s: every question is refused", settings.zones.directory)
    return generation


def _bind_http(settings: Config) -> socket.socket | None:
    """The HTTP side's socket; every address is one socket for IPv6 and IPv4."""
    if settings.http.address is None:
        return None
    host, port = settings.http.address
    try:
        if host == EVERY_ADDRESS:
            return _bind_everywhere(port)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        problem = Problem("http.listen", settings.http.listen, f"must be an address to listen on: {error.strerror}")
        raise ConfigError(problem) from error


def _bind_everywhere(port: int) -> socket.socket:
    """One socket for IPv6 and IPv4; for IPv4 alone where the system has no IPv6."""
    try:
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
        return socket.create_server(("0.0.0.0", port))
