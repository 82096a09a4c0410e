"""Notices changed files, has them loaded in a thread, and hands the new generation over.

Polling each second is the truth; inotify, where it exists, wakes it earlier. A difference is read again after 0.7 s, and
only two equal readings count: a file that is still being written, or about to be replaced, is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import gevent
from gevent.event import Event
from gevent.socket import wait_read

from .loader import Fingerprint, Generation, fingerprint, watched_paths

log = logging.getLogger("greendns.watcher")

POLL_SECONDS = 1.0
# A file written in two steps half a second apart must not be taken for whole after the first.
SETTLE_SECONDS = 0.7

Reading = dict[Path, Fingerprint | None]


def read_state(generation: Generation, extra: tuple[Path, ...] = ()) -> Reading:
    """What every file that matters looks like now; one that is gone, or a directory unreadable, is a reading too."""
    config = generation.config
    try:
        reading = watched_paths(config)
    except OSError:
        reading = {config.zones.directory: None}
    for path in (config.source, *extra):
        if path is not None:
            reading[path] = fingerprint(path)
    return reading


class Watcher:
    """Runs in one greenlet.

    reload   called with nothing, in this greenlet, once a change has settled; returns the generation now in service
    """

    def __init__(self, generation: Generation, reload: Callable[[], Generation]) -> None:
        self._generation = generation
        self._reload = reload
        self._wake = Event()
        self._extra: tuple[Path, ...] = ()
        self._known = read_state(generation)

    def start(self) -> None:
        """Begin to watch."""
        gevent.spawn(self._run)
        directories = {self._generation.config.zones.directory, self._generation.config.geoip.find()}
        if self._generation.config.source is not None:
            directories.add(self._generation.config.source.parent)
        gevent.spawn(_wait_events, [directory for directory in directories if directory], self._wake)

    def watch_also(self, paths: tuple[Path, ...]) -> None:
        """Watch further files, such as those that a pgeodns.conf includes."""
        self._extra = paths
        self._known = read_state(self._generation, paths)

    def wake(self) -> None:
        """Look now."""
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
                gevent.sleep(POLL_SECONDS)

    def _look(self) -> None:
        seen = read_state(self._generation, self._extra)
        if seen == self._known:
            return
        settled = self._wait_settled(seen)
        self._generation = self._reload()
        self._known = settled

    def _wait_settled(self, seen: Reading) -> Reading:
        """Wait until two readings SETTLE_SECONDS apart are equal; the reading they agree on."""
        while True:
            gevent.sleep(SETTLE_SECONDS)
            again = read_state(self._generation, self._extra)
            if again == seen:
                return again
            seen = again


def _wait_events(directories: list[Path], wake: Event) -> None:
    """Set `wake` whenever something happens in a directory. Without inotify: return, polling goes on."""
    try:
        import inotify_simple
    except ImportError:
        return
    flags = inotify_simple.flags
    interesting = (
        flags.CLOSE_WRITE | flags.MOVED_TO | flags.MOVED_FROM | flags.DELETE | flags.CREATE | flags.ATTRIB
    )
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
