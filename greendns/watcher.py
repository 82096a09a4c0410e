"""Notices changed files, has them loaded in a thread, and hands the new generation over.

Polling each second is the truth; inotify, where it exists, wakes it earlier. A difference is read again after 0.7 s,
and only two equal readings count: a file that is still being written, or about to be replaced, is left alone, and holds
up no other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import gevent
from gevent.event import Event
from gevent.socket import wait_read

from .loader import Fingerprint, Generation, fingerprint, watched_paths
from .settings import Config

log = logging.getLogger("greendns.watcher")

POLL_SECONDS = 1.0
# A file written in two steps half a second apart must not be taken for whole after the first.
SETTLE_SECONDS = 0.7

Reading = dict[Path, Fingerprint | None]


def read_state(config: Config, others: Iterable[Path] = ()) -> Reading:
    """What every file that matters looks like now; None, like no entry, is a file that is not there."""
    return {**watched_paths(config), **{path: fingerprint(path) for path in others}}


def _differing(one: Reading, other: Reading) -> frozenset[Path]:
    return frozenset([path for path in one.keys() | other.keys() if one.get(path) != other.get(path)])


class Watcher:
    """Runs in one greenlet.

    sources  where the configuration may be
    known    a reading taken before `generation` was loaded, so that no change falls between the two
    reload   called in this greenlet, once a change has settled, with the files that have not; returns the generation
             now in service
    """

    def __init__(
        self,
        generation: Generation,
        sources: tuple[Path, ...],
        known: Reading,
        reload: Callable[[frozenset[Path]], Generation],
    ) -> None:
        self._generation = generation
        self._sources = sources
        self._known = known
        self._reload = reload
        self._wake = Event()

    def start(self) -> None:
        """Begin to watch."""
        gevent.spawn(self._run)
        directories = {self._generation.config.zones.directory, self._generation.config.geoip.find()}
        if self._generation.config.source is not None:
            directories.add(self._generation.config.source.parent)
        gevent.spawn(_wait_events, [directory for directory in directories if directory], self._wake)

    def wake(self) -> None:
        """Look now, and load even if nothing looks changed."""
        self._known = {}
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
            try:
                self._look()
            except Exception:
                # A fault of ours must not end the watch: the next poll tries again.
                log.exception("looking for changes failed")
                self._known = {}
                gevent.sleep(POLL_SECONDS)

    def _look(self) -> None:
        """Load what has changed, and look again as long as something is changing."""
        seen = self._read()
        while _differing(seen, self._known):
            gevent.sleep(SETTLE_SECONDS)
            again = self._read()
            self._take(again, unsettled=_differing(seen, again))
            seen = again

    def _read(self) -> Reading:
        return read_state(self._generation.config, (*self._sources, *self._generation.files))

    def _take(self, reading: Reading, unsettled: frozenset[Path]) -> None:
        """Have a reading loaded, all but what has not settled."""
        settled = {**reading, **{path: self._known.get(path) for path in unsettled}}
        if _differing(settled, self._known):
            # Before the load, so that a `wake` in the middle of it is not forgotten.
            self._known = settled
            self._generation = self._reload(unsettled)


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
        for directory in directories:
            watches.add_watch(str(directory), interesting)
    except OSError as error:
        log.info("inotify is not to be had (%s): changes are noticed by polling alone", error.strerror)
        return
    while True:
        wait_read(watches.fileno())
        watches.read(timeout=0)
        wake.set()
