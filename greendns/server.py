"""Sockets -> a responder: the gevent DatagramServer and StreamServer.

Datagrams are answered in place, in the turn of the hub that brought them: nothing there waits. An answer that would
hold its batch up gets a greenlet of its own, and so does every TCP connection.
"""

from __future__ import annotations

import logging
import math
import socket
import time
import traceback
from contextlib import suppress
from typing import Any

from gevent import get_hub
from gevent.pool import Pool
from gevent.server import DatagramServer, StreamServer
from gevent.socket import socket as GeventSocket

from .outcome import Outcome, Peer
from .responder import Responder
from .settings import TcpSettings

try:
    from ._datagrams import Datagrams
except ImportError:  # not Linux, or nothing is compiled
    from .datagrams import Datagrams

log = logging.getLogger("greendns.server")

# Answers that take their time, at once and for each socket; a question beyond them is dropped.
HELD_MAX = 256
_LOG_SECONDS = 1.0
_CHUNK_OCTETS = 65536


class FaultLog:
    """Logs faults of ours once a second per place in the source, so that a flood of one cannot fill the disk."""

    def __init__(self) -> None:
        self._logged: dict[str, float] = {}

    def tell(self, error: Exception) -> None:
        """Log a fault that one packet met."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        cause = f"{type(error).__name__} at {frame.filename}:{frame.lineno}"
        now = time.monotonic()
        if now - self._logged.get(cause, -_LOG_SECONDS) >= _LOG_SECONDS:
            self._logged[cause] = now
            log.error("a packet was answered SERVFAIL: %s", cause, exc_info=error)


def to_gevent(listening: socket.socket) -> GeventSocket:
    """The same socket for gevent to wait on; takes it over."""
    family, kind, protocol = listening.family, listening.type, listening.proto
    return GeventSocket(family, kind, protocol, fileno=listening.detach())


class UdpServer(DatagramServer):  # type: ignore[misc]
    """Answers datagrams in batches."""

    _watcher: Any = None

    def __init__(self, listening: socket.socket, responder: Responder) -> None:
        self.responder = responder
        waiting_on = to_gevent(listening)
        super().__init__(waiting_on, handle=self._answer_held, spawn=Pool(HELD_MAX))
        self._datagrams = Datagrams(waiting_on._sock, responder, self._hold)

    def start_accepting(self) -> None:
        """Have the hub call the batches themselves: an exception in between would make gevent pause for 10 ms."""
        if self._watcher is None:
            self._watcher = self.loop.io(self.socket.fileno(), 1)
            self._watcher.start(self._datagrams.answer_waiting)

    def _hold(self, wire: bytes, peer: Peer, way: tuple[object, object]) -> None:
        """Answer in a greenlet of its own."""
        if self.pool.full():
            self.responder.counters.count(Outcome("dropped", 0), False, False)
        else:
            self.pool.spawn(self._answer_held, wire, Peer(peer.address, peer.port, is_tcp=False), way)

    def _answer_held(self, wire: bytes, peer: Peer, way: tuple[object, object]) -> None:
        answered = self.responder.respond(wire, peer, time.time())
        if answered is not None:
            self._datagrams.send(answered, way)


class TcpServer(StreamServer):  # type: ignore[misc]
    """Answers connections, each in a greenlet, its queries in their order (RFC 7766 section 6.2.1.1)."""

    def __init__(self, listening: socket.socket, responder: Responder, settings: TcpSettings, pool: Pool) -> None:
        """Share `pool` with the other listeners: its size is the limit of connections of the process."""
        self.responder = responder
        self.settings = settings
        super().__init__(to_gevent(listening), spawn=pool)

    def take(self, settings: TcpSettings, pool: Pool) -> None:
        """Follow changed settings; another pool takes the connections that come next."""
        self.settings = settings
        if pool is not self.pool:
            self.set_spawn(pool)
            # A full pool had stopped it from accepting.
            self.start_accepting()

    def handle(self, connection: GeventSocket, address: tuple[str, int]) -> None:
        """Serve one connection until the peer closes it, is idle, or is too slow. Runs in its own greenlet."""
        peer = Peer(_pack(connection.family, address[0]), address[1], is_tcp=True)
        deadline = Deadline(connection, self.loop)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(connection, peer, deadline)
        except OSError:
            # The peer reset the connection, or its time was up.
            return
        finally:
            deadline.close()

    def _serve(self, connection: GeventSocket, peer: Peer, deadline: Deadline) -> None:
        """Answer messages as they come whole; what is left is the beginning of the next one."""
        unread = b""
        deadline.set(self.settings.idle_seconds)
        while True:
            turn = self.loop.iteration
            chunk = connection.recv(_CHUNK_OCTETS)
            if not chunk:
                return
            is_begun = bool(unread)
            unread, goes_on = self._answer(connection, peer, unread + chunk, deadline, turn)
            if not goes_on:
                return
            if not unread:
                deadline.set(self.settings.idle_seconds)
            elif not is_begun or len(unread) < len(chunk):
                # One deadline for a whole message, so that a drip of octets does not hold the connection.
                deadline.set(self.settings.message_seconds)

    def _answer(
        self, connection: GeventSocket, peer: Peer, octets: bytes, deadline: Deadline, turn: int
    ) -> tuple[bytes, bool]:
        """Answer the whole messages among `octets`; returns what follows them, and whether the connection goes on."""
        goes_on, taken = True, 1
        while goes_on and taken:
            answers, taken, goes_on = self.responder.respond_all(octets, peer, time.time())
            octets = octets[taken:]
            if answers:
                self._send(connection, answers, deadline)
                turn = self._yield(turn)
        return octets, goes_on

    def _send(self, connection: GeventSocket, answers: bytes, deadline: Deadline) -> None:
        """Send; a peer that does not take it has its time."""
        try:
            sent = connection._sock.send(answers)
        except BlockingIOError:
            sent = 0
        if sent < len(answers):
            deadline.set(self.settings.message_seconds)
            connection.sendall(answers[sent:])

    def _yield(self, turn: int) -> int:
        """Let the others, and all of UDP, have their turn if nothing has waited since `turn` of the hub.

        A peer that sends and reads without a pause never makes recv or sendall wait. Returns the turn that it is now.
        """
        if self.loop.iteration == turn:
            # Not sleep(0): the hub runs fifty callbacks of that, and all of 5 ms, before it looks at a socket again.
            with self.loop.timer(0) as timer:
                get_hub().wait(timer)
        iteration: int = self.loop.iteration
        return iteration


class Deadline:
    """Shuts a connection down once its time is up, which wakes its greenlet.

    Moving it on is an assignment: the timer looks, when it fires, how much time is left. A timeout of gevent's for each
    message would start and stop a timer of the hub, and cost as much as the answer.
    """

    __slots__ = ("_connection", "_fires", "_timer", "_up")

    def __init__(self, connection: GeventSocket, loop: Any) -> None:
        self._connection = connection
        self._timer = loop.timer(0)
        self._fires = math.inf
        self._up = math.inf

    def set(self, seconds: float) -> None:
        """Leave so many seconds from now on."""
        self._up = time.monotonic() + seconds
        if self._up < self._fires:
            self._arm(seconds)

    def close(self) -> None:
        """Let the connection be; it must be called, or the timer lives on."""
        self._timer.stop()
        self._timer.close()

    def _arm(self, seconds: float) -> None:
        loop = self._timer.loop
        self._timer.stop()
        self._timer.close()
        self._fires = self._up
        self._timer = loop.timer(seconds)
        self._timer.start(self._look)

    def _look(self) -> None:
        left = self._up - time.monotonic()
        if left > 0:
            self._arm(left)
            return
        with suppress(OSError):  # the peer was faster
            self._connection.shutdown(socket.SHUT_RDWR)


def _pack(family: int, text: str) -> bytes:
    """The octets of an address; the scope of a link-local one is left out."""
    return socket.inet_pton(family, text.partition("%")[0])
