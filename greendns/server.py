"""Sockets -> calls of `answer`: the gevent DatagramServer and StreamServer.

A datagram is answered in place, in the turn of the hub that brought it: nothing there waits. Every TCP connection
gets a greenlet of its own. Nothing escapes: what goes wrong with one packet is answered SERVFAIL, counted, and logged
once a second per cause, and the next packet is served.
"""

from __future__ import annotations

import logging
import random
import socket
import time
import traceback
from collections.abc import Callable, Mapping

from gevent import Timeout, sleep
from gevent.pool import Pool
from gevent.server import DatagramServer, StreamServer
from gevent.socket import socket as GeventSocket

from .answer import answer, servfail
from .counters import Counters
from .outcome import Peer
from .settings import TcpSettings
from .snapshot import Snapshot, State

log = logging.getLogger("greendns.server")

# Datagrams per turn of the hub: TCP, timers and the watcher come to their turn in between.
BATCH = 64
_DATAGRAM_OCTETS = 65535
_LOG_SECONDS = 1.0


class Responder:
    """Answers packets from whatever snapshot is in service.

    detailed   whether queries are counted by label
    """

    def __init__(self, snapshot: Snapshot, counters: Counters) -> None:
        self.snapshot = snapshot
        self.state = State()
        self.counters = counters
        self.detailed = False
        self._draw = random.Random().randrange
        self._logged: dict[str, float] = {}

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Put another snapshot into service; what was derived from the old one goes with it."""
        self.snapshot = snapshot
        self.state = State(health=self.state.health)

    def take_health(self, health: Mapping[str, int] | None) -> None:
        """Put the states of all checks into force."""
        if health != self.state.health:
            self.state = State(health=health)

    def respond(self, wire: bytes, peer: Peer) -> bytes | None:
        """The answer to a packet; None for silence. Never raises, does not switch greenlets."""
        try:
            answered, outcome = answer(wire, peer, time.time(), self.snapshot, self.state, self._draw)
            self.counters.count(outcome, peer.is_tcp, self.detailed)
        except Exception as error:
            self._note_failure(error)
            self.counters.count_failure(peer.is_tcp)
            return _servfail_or_silence(wire)
        return answered

    def _note_failure(self, error: Exception) -> None:
        """Log a fault of ours once a second per place in the source, so that a flood of one cannot fill the disk."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        cause = f"{type(error).__name__} at {frame.filename}:{frame.lineno}"
        now = time.monotonic()
        if now - self._logged.get(cause, -_LOG_SECONDS) >= _LOG_SECONDS:
            self._logged[cause] = now
            log.error("a packet was answered SERVFAIL: %s", cause, exc_info=error)


def _servfail_or_silence(wire: bytes) -> bytes | None:
    """SERVFAIL; None where the fault lies in reading the packet itself."""
    try:
        return servfail(wire)
    except Exception:
        return None


def to_gevent(listening: socket.socket) -> GeventSocket:
    """The same socket for gevent to wait on; takes it over."""
    family, kind, protocol = listening.family, listening.type, listening.proto
    return GeventSocket(family, kind, protocol, fileno=listening.detach())


class UdpServer(DatagramServer):  # type: ignore[misc]
    """Answers datagrams in batches."""

    def __init__(self, listening: socket.socket, responder: Responder) -> None:
        self.responder = responder
        self.pack = _packer(listening.family)
        # Every datagram is answered inside do_read: there is no handler to spawn.
        super().__init__(to_gevent(listening), handle=lambda *_: None)

    def do_read(self) -> None:
        """Answer what is waiting, up to a batch. An exception would make gevent stop reading for 10 ms: none leaves."""
        raw = self._socket
        for _ in range(BATCH):
            try:
                wire, address = raw.recvfrom(_DATAGRAM_OCTETS)
            except OSError:
                # Nothing left to read, or an error that an earlier answer met: neither is this packet's.
                return
            self._answer(raw, wire, address)

    def _answer(self, raw: socket.socket, wire: bytes, address: tuple[str, int]) -> None:
        peer = Peer(self.pack(address[0]), address[1], is_tcp=False)
        answered = self.responder.respond(wire, peer)
        if answered is None:
            return
        try:
            raw.sendto(answered, address)
        except OSError:
            # No room in the send buffer, a port of 0, a route that is gone: UDP may lose it, and the client asks again.
            self.responder.counters.count_unsent(1)


def _packer(family: int) -> Callable[[str], bytes]:
    """A function from the text of an address to its octets; the scope of a link-local one is left out."""
    if family == socket.AF_INET:
        return socket.inet_aton
    return lambda text: socket.inet_pton(socket.AF_INET6, text.partition("%")[0])


class TcpServer(StreamServer):  # type: ignore[misc]
    """Answers connections, each in a greenlet, one query after the other as they come (RFC 7766 section 6.2.1)."""

    def __init__(self, listening: socket.socket, responder: Responder, settings: TcpSettings, pool: Pool) -> None:
        """Share `pool` with the other listeners: its size is the limit of connections of the process."""
        self.responder = responder
        self.settings = settings
        self.pack = _packer(listening.family)
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
        try:
            peer = Peer(self.pack(address[0]), address[1], is_tcp=True)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                wire = self._wait_message(connection)
                if wire is None:
                    return
                answered = self.responder.respond(wire, peer)
                if answered is None or not self._wait_sent(connection, answered):
                    return
                # A peer that sends and reads without a pause never makes recv or sendall wait: the others, and all of
                # UDP, get their turn here.
                sleep(0)
        except OSError:
            # The peer reset the connection: its right.
            return

    def _wait_message(self, connection: GeventSocket) -> bytes | None:
        """The next message (RFC 1035 section 4.2.2); None at the end, or when time is up.

        The deadline is one for the whole message, so that a drip of octets does not hold the connection.
        """
        first = b""
        with Timeout(self.settings.idle_seconds, False):
            first = connection.recv(2)
        if not first:
            return None
        with Timeout(self.settings.message_seconds, False):
            head = first if len(first) == 2 else first + _wait_octets(connection, 1)
            length = int.from_bytes(head, "big")
            message = _wait_octets(connection, length)
            return message if length and len(message) == length else None
        return None

    def _wait_sent(self, connection: GeventSocket, answered: bytes) -> bool:
        """Whether the answer left in time; a peer that does not read is let go."""
        with Timeout(self.settings.message_seconds, False):
            connection.sendall(len(answered).to_bytes(2, "big") + answered)
            return True
        return False


def _wait_octets(connection: GeventSocket, count: int) -> bytes:
    """Exactly `count` octets, fewer if the peer closes before."""
    parts = []
    while count:
        part = connection.recv(count)
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
