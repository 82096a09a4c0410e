"""What stands beside the answers: the HTTP side and the watch over the files.

With several workers it is a process of its own, one per generation: a slow scrape or a look at 10,000 files can't slow
an answer. A change that has settled is told to the keeper, which loads it in another process.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable
from pathlib import Path

import gevent
from gevent.event import Event
from gevent.socket import wait_read

from .control import ControlApp
from .countertable import CounterTable
from .generations import Start
from .httpserver import HttpServer
from .listeners import Sockets, count_drops
from .loaded import Generation
from .metrics import ServerCollector, registry_of
from .statuspage import StatusApp
from .watcher import Change, NotLoadedError, Reading, Watcher
from .worker import wait_stopped

# What the keeper says, each one octet: look at the files now; what you last told could not be loaded.
LOOK = b"l"
FAILED = b"f"
# A load that fails for no fault of the files, for want of memory say, is tried again after so long: first, last.
RETRY_SECONDS = 1.0
RETRY_SECONDS_MAX = 30.0


class Pages:
    """The HTTP side and the control socket, each where it is not off."""

    def __init__(
        self,
        generation: Generation,
        sockets: Sockets,
        table: CounterTable,
        control: ControlApp,
        bank: int | None = None,
    ) -> None:
        _, groups = generation.config.server.identity
        self.collector = ServerCollector(table, groups, bank, lambda: count_drops(sockets.dns))
        self.app = StatusApp(registry_of(self.collector), generation)
        self.control = control
        self.servers: list[HttpServer] = []
        if sockets.http is not None:
            self.servers.append(HttpServer(sockets.http.dup(), self.app))
        if sockets.control is not None:
            self.servers.append(HttpServer(sockets.control.listening.dup(), control))
        self.take(generation)

    def take(self, generation: Generation) -> None:
        """Tell of this generation."""
        self.collector.generation = self.control.generation = generation
        self.app.take(generation)

    def start(self) -> None:
        """Begin to answer requests."""
        self.control.start()
        for server in self.servers:
            server.start()

    def stop_reading(self) -> None:
        """Take no new requests."""
        for server in self.servers:
            server.close()

    def wait_finished(self) -> None:
        """Finish what was begun."""
        wait_stopped(self.servers)


class Side:
    """The watch over the files for a keeper at the other end of `line`."""

    def __init__(self, start: Start, generation: Generation, known: Reading, line: socket.socket) -> None:
        self._line = line
        self._pause = RETRY_SECONDS
        self._failed = Event()
        self._watcher = Watcher(generation, start.sources, known, self._ask)

    def start(self) -> None:
        """Begin to watch."""
        self._watcher.start()
        gevent.spawn(self._listen)

    def look(self) -> None:
        """Look at the files now."""
        self._watcher.wake()

    def _ask(self, change: Change) -> Generation:
        """Tell the keeper of a change. If all goes well, this process is told to leave before it knows more."""
        self._failed.clear()
        with contextlib.suppress(OSError):
            self._line.sendall(encode_change(change))
            self._failed.wait()
        gevent.sleep(self._pause)
        self._pause = min(2 * self._pause, RETRY_SECONDS_MAX)
        raise NotLoadedError

    def _listen(self) -> None:
        """Do what the keeper says. Without a keeper nobody loads: the arbiter has another one begin anew."""
        handlers: dict[bytes, Callable[[], object]] = {LOOK: self.look, FAILED: self._failed.set}
        while True:
            wait_read(self._line.fileno())
            said = self._line.recv(1)
            if not said:
                return
            handlers[said]()


def encode_change(change: Change) -> bytes:
    """A change as a line; names that are no UTF-8 are escaped."""
    settled = [(str(path), seen) for path, seen in change.settled.items()]
    return json.dumps((settled, [str(path) for path in change.unsettled])).encode() + b"\n"


def decode_change(line: bytes) -> Change:
    """The change of a line.

    >>> decode_change(encode_change(Change({Path("/a"): (1, 2, 3, 4), Path("/b"): None}, frozenset())))
    Change(settled={PosixPath('/a'): (1, 2, 3, 4), PosixPath('/b'): None}, unsettled=frozenset())
    """
    settled, unsettled = json.loads(line)
    reading: Reading = {Path(path): None if seen is None else tuple(seen) for path, seen in settled}
    return Change(reading, frozenset(map(Path, unsettled)))
