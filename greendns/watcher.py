"""Notices changed files, waits until they settle, and has them loaded.

Polling each second is the truth; inotify, where it exists, wakes it earlier. A difference is read again after 0.7 s,
and only two equal readings count: a file that is still being written, or about to be replaced, is left alone, and holds
up no other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from gevent.socket import wait_read

from .loaded import Generation
from .loader import watched_paths
from .regularfile import Fingerprint, fingerprint
from .settings import Config

log = logging.getLogger("greendns.watcher")

POLL_SECONDS = 1.0
# Looking at 10,000 files costs a tenth of a second of CPU: however many events come, not more often than this.
PAUSE_SECONDS = 0.2
# A file that could not be read at all is tried again without a change: what was in the way may be gone.
RETRY_SECONDS = 10.0
# A file written in two steps half a second apart must not be taken for whole after the first.
SETTLE_SECONDS = 0.7

Reading = dict[Path, Fingerprint | None]


@dataclass(frozen=True)
class Change:
    """What there is to load.

    settled    the files that differ from what was known and have settled, as they look now
    unsettled  the files that are still being written: to be left as they were
    """

    settled: Reading
    unsettled: frozenset[Path]


class NotLoadedError(Exception):
    """A change could not be loaded for a reason that lies not in the files: it is to be tried again."""


def read_state(config: Config, others: Iterable[Path] = ()) -> Reading:
    """What every file that matters looks like now; None, like no entry, is a file that is not there."""
    return {**watched_paths(config), **{path: fingerprint(path) for path in others}}


def _differing(one: Reading, other: Reading) -> frozenset[Path]:
    return frozenset([path for path in one.keys() | other.keys() if one.get(path) != other.get(path)])


class Watcher:
    """Runs in one greenlet.

    sources  where the configuration may be
    known    a reading taken before `generation` was loaded, so that no change falls between the two
    reload   called in this greenlet once a change has settled; returns the generation now in service
    """

    def __init__(
        self,
        generation: Generation,
        sources: tuple[Path, ...],
        known: Reading,
        reload: Callable[[Change], Generation],
    ) -> None:
        self._generation = generation
        self._sources = sources
        self._known = known
        # Whether to load even if nothing differs.
        self._is_asked = False
        self._reload = reload
        self._wake = Event()
        self._retried = time.monotonic()

    def start(self) -> None:
        """Begin to watch, with a look at what changed while `generation` was loaded."""
        self._wake.set()
        gevent.spawn(self._run)
        directories = {self._generation.config.zones.directory, self._generation.config.geoip.find()}
        secrets = self._generation.config.cookies.secret_file
        if secrets is not None:
            directories.add(secrets.parent)
        if self._generation.config.source is not None:
            directories.add(self._generation.config.source.parent)
        gevent.spawn(_wait_events, [directory for directory in directories if directory], self._wake)

    def wake(self) -> None:
        """Look now, and load even if nothing looks changed."""
        self._forget()
        self._wake.set()

    def _forget(self) -> None:
        self._known, self._is_asked = {}, True

    def _run(self) -> None:
        while True:
            self._wake.wait(POLL_SECONDS)
            gevent.sleep(PAUSE_SECONDS)
            self._wake.clear()
            try:
                self._forget_unread()
                self._look()
            except NotLoadedError:
                self._forget()
            except Exception:
                # A fault of ours must not end the watch: the next poll tries again.
                self._forget()
                log.exception("looking for changes failed")

    def _forget_unread(self) -> None:
        """Have the files that could not be read at all looked at as if they were new, every now and then."""
        now = time.monotonic()
        if now - self._retried >= RETRY_SECONDS:
            self._retried = now
            unread = self._generation.unread()
            self._known = {path: seen for path, seen in self._known.items() if path not in unread}

    def _look(self) -> None:
        """Load what has changed, and look again as long as something is changing."""
        seen = self._read()
        while self._is_asked or _differing(seen, self._known):
            gevent.sleep(SETTLE_SECONDS)
            again = self._read()
            self._take(again, unsettled=_differing(seen, again))
            seen = again

    def _read(self) -> Reading:
        """The reading, made in a thread: a disk that does not answer must not keep the hub from its packets."""
        others = (*self._sources, *self._generation.files)
        reading: Reading = in_thread(read_state, self._generation.config, others)
        return reading

    def _take(self, reading: Reading, unsettled: frozenset[Path]) -> None:
        """Have a reading loaded, all but what has not settled."""
        settled = {**reading, **{path: self._known.get(path) for path in unsettled}}
        differing = _differing(settled, self._known)
        if self._is_asked or differing:
            # Before the load, so that a `wake` in the middle of it is not forgotten.
            self._known, self._is_asked = settled, False
            self._generation = self._reload(Change({path: settled.get(path) for path in differing}, unsettled))


def in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do what may wait for a disk, or computes long, beside the hub; returns and raises what it does."""

    def attempt() -> tuple[Any, Exception | None]:
        # gevent prints what a thread raises, also if somebody waits for it.
        try:
            return work(*arguments), None
        except Exception as error:
            return None, error

    result, error = gevent.get_hub().threadpool.apply(attempt)
    if error is not None:
        raise error
    return result


def _wait_events(directories: list[Path], wake: Event) -> None:
    """Set `wake` whenever something happens in a directory. Without inotify: return, polling goes on."""
    try:
        import inotify_simple
    except ImportError:
        return
    flags = inotify_simple.flags
    interesting = flags.CLOSE_WRITE | flags.MOVED_TO | flags.MOVED_FROM | flags.DELETE | flags.CREATE | flags.ATTRIB
    try:
        watches = inotify_simple.INotify(nonblocking=True)
    except OSError as error:
        log.info("inotify is not to be had (%s): changes are noticed by polling alone", error.strerror)
        return
    for directory in directories:
        try:
            watches.add_watch(str(directory), interesting)
        except OSError as error:
            log.info("%s: is not watched by inotify (%s): polling alone sees its changes", directory, error.strerror)
    while True:
        wait_read(watches.fileno())
        watches.read(timeout=0)
        wake.set()
