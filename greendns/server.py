"""Sockets -> a responder: the gevent DatagramServer and StreamServer.

Datagrams are answered in place, in the turn of the hub that brought them: nothing there waits. An answer that would
hold up others, of its batch or of its connection, gets a greenlet of its own, and so does every TCP connection.
"""

from __future__ import annotations

import errno
import logging
import select
import socket
import time
import traceback
from typing import Any

import gevent
from gevent import GreenletExit, get_hub
from gevent.lock import Semaphore
from gevent.pool import Pool
from gevent.server import DatagramServer, StreamServer
from gevent.socket import socket as GeventSocket

from .connections import (
    CLIENT,
    ENDED,
    IDLE,
    MESSAGE,
    RESET,
    STOPPED,
    UNANSWERED,
    UNREAD,
    Connection,
    Connections,
)
from .outcome import Outcome, Peer
from .responder import Responder
from .response import two_octets

try:
    from ._datagrams import Datagrams
except ImportError:  # not Linux, or nothing is compiled
    from .datagrams import Datagrams

log = logging.getLogger("greendns.server")

# Answers that take their time, at once and for each socket; a question beyond them is dropped, over TCP it waits.
HELD_MAX = 256
# Those of one connection: as many answers of 64 kB wait at most for a client that does not read.
HELD_OF_CONNECTION_MAX = 8
# How long they may take. Resolvers have asked somebody else by then, and a stop leaves as much to what has begun.
HELD_SECONDS = 3.0
_LOG_SECONDS = 1.0
_CHUNK_OCTETS = 65536
# What the kernel keeps of a connection, either way; it would let each grow to some megabytes, read or not (tcp(7)).
_BUFFER_OCTETS = 128 * 1024
# Connections that are accepted in one turn of the hub: UDP comes to its turn after some 0.5 ms.
_ACCEPTS = 16
# accept(2) fails for want of descriptors or memory, which a connection less will help; or of what the peer has done.
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_GONE = (errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.EHOSTUNREACH, errno.ENETUNREACH)
# A pause where there is no connection to be ended either: the socket stays ready, and the hub would spin.
_REST_SECONDS = 1.0


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


def respond_apart(responder: Responder, wire: bytes, peer: Peer) -> bytes | None:
    """The answer of a greenlet of its own: SERVFAIL once it has waited for HELD_SECONDS."""
    # Of a kind that a responder takes for what it is here: a fault of ours.
    with gevent.Timeout(HELD_SECONDS, TimeoutError(f"an answer took more than {HELD_SECONDS:.0f} s")):
        return responder.respond_apart(wire, peer, time.time())


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
        answered = respond_apart(self.responder, wire, peer)
        if answered is not None:
            self._datagrams.send(answered, way)


class TcpServer(StreamServer):  # type: ignore[misc]
    """Answers connections, each in a greenlet: its queries in their order, but for answers that take their time, which
    come when they are ready (RFC 7766 section 6.2.1.1)."""

    max_accept = _ACCEPTS

    def __init__(self, listening: socket.socket, responder: Responder, connections: Connections, pool: Pool) -> None:
        """Share `connections` with the other listeners of the process, and `pool`, which has no limit."""
        self.responder = responder
        self.connections = connections
        self._held = Pool(HELD_MAX)
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            listening.setsockopt(socket.SOL_SOCKET, buffer, _BUFFER_OCTETS)
        super().__init__(to_gevent(listening), spawn=pool)

    # -- accepting

    def do_read(self) -> tuple[TcpConnection] | None:
        """Accept a connection: a full house, or too few descriptors, means that another one goes."""
        try:
            accepted = super().do_read()
        except OSError as error:
            self._bear(error)
            return None
        if accepted is None:
            return None
        opened, address = accepted
        connection = TcpConnection(opened, Peer(_pack(opened.family, address[0]), address[1], True, True))
        self.connections.admit(connection)
        return (connection,)

    def do_close(self, connection: TcpConnection) -> None:
        """Let the descriptor go, whoever ended the connection."""
        connection.socket.close()

    def _bear(self, error: OSError) -> None:
        """Go on after accept has failed."""
        if error.errno in _GONE:
            return
        # Linux asks for a descriptor before it looks whether anybody is there.
        if error.errno in _NO_ROOM and (not _is_ready(self.socket) or self.connections.make_room()):
            return
        self._rest(error)

    def _rest(self, error: OSError) -> None:
        """Accept nothing for a while."""
        log.error("no connection can be accepted: %s", error.strerror)
        self.stop_accepting()
        self._timer = self.loop.timer(_REST_SECONDS)
        self._timer.start(self._start_accepting_if_started)

    # -- one connection

    def handle(self, connection: TcpConnection) -> None:
        """Serve one connection until it is ended. Runs in its own greenlet."""
        why = STOPPED
        try:
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            why = self._serve(connection)
            gevent.joinall(list(connection.held))
        except OSError:
            # The peer reset the connection, or it was closed by us, for a reason of its own.
            why = RESET
        except GreenletExit:
            gevent.killall(list(connection.held), block=False)
        finally:
            self.connections.end(connection, why)

    def _serve(self, connection: TcpConnection) -> int:
        """Answer messages as they come whole; what is left is the beginning of the next one. Returns why it ends."""
        unread = b""
        while True:
            turn = self.loop.iteration
            chunk = connection.socket.recv(_CHUNK_OCTETS)
            if not chunk:
                return CLIENT
            is_begun = bool(unread)
            unread, goes_on = self._answer(connection, unread + chunk, turn)
            if not goes_on:
                return UNANSWERED
            connection.is_begun = bool(unread)
            # One deadline for a whole message, so that a drip of octets does not hold the connection.
            if not (is_begun and len(unread) >= len(chunk)):
                self._settle(connection)

    def _answer(self, connection: TcpConnection, octets: bytes, turn: int) -> tuple[bytes, bool]:
        """Answer the whole messages among `octets`; returns what follows them, and whether the connection goes on."""
        goes_on, taken = True, 1
        connection.peer.idle_seconds = connection.peer_apart.idle_seconds = self.connections.idle_seconds
        while goes_on and taken:
            answers, taken, goes_on, waiting = self.responder.respond_all(octets, connection.peer, time.time())
            octets = octets[taken:]
            if answers:
                self._send(connection, answers)
            for wire in waiting:
                self._hold(connection, wire)
            if taken:
                if octets:
                    # It has sent more than was answered by now: it waits for us, and is not late.
                    self._wait(connection, UNREAD)
                turn = self._yield(turn)
        return octets, goes_on

    def _settle(self, connection: TcpConnection) -> None:
        """Wait for what is next."""
        if connection.is_begun:
            self._wait(connection, MESSAGE)
        else:
            self._wait(connection, UNREAD if connection.held else IDLE)

    def _wait(self, connection: TcpConnection, waits: int) -> None:
        # Whatever else it sends, a client that does not read has one deadline.
        if not connection.is_blocked:
            self.connections.wait(connection, waits)

    def _send(self, connection: TcpConnection, answers: bytes) -> None:
        """Send; a peer that does not take it has its time."""
        with connection.sending:
            try:
                sent = connection.socket._sock.send(answers)
            except BlockingIOError:
                sent = 0
            if sent < len(answers):
                self._send_slowly(connection, memoryview(answers)[sent:])

    def _send_slowly(self, connection: TcpConnection, answers: memoryview) -> None:
        self._wait(connection, UNREAD)
        connection.is_blocked = True
        connection.socket.sendall(answers)
        connection.is_blocked = False
        self._settle(connection)

    # -- answers that take their time

    def _hold(self, connection: TcpConnection, wire: bytes) -> None:
        """Answer in a greenlet of its own; where there are enough of these, wait for one."""
        self._wait(connection, UNREAD)
        if len(connection.held) >= HELD_OF_CONNECTION_MAX:
            gevent.wait(list(connection.held), count=1)
        connection.held.add(self._held.spawn(self._answer_held, connection, wire))

    def _answer_held(self, connection: TcpConnection, wire: bytes) -> None:
        try:
            answered = respond_apart(self.responder, wire, connection.peer_apart)
            if answered is not None and connection.waits != ENDED:
                self._send(connection, two_octets(len(answered)) + answered)
        except OSError:
            # Its connection has ended: that is told by whoever reads from it.
            return
        finally:
            connection.held.discard(gevent.getcurrent())
            self._settle(connection)

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


class TcpConnection(Connection):
    """A connection, and what its greenlets know of it.

    held        the greenlets of answers that take their time
    is_begun    whether a message has come in part
    is_blocked  whether answers wait for the client to read
    """

    __slots__ = ("held", "is_begun", "is_blocked", "peer", "peer_apart", "sending")

    def __init__(self, opened: GeventSocket, peer: Peer) -> None:
        super().__init__(opened, peer.address)
        self.peer = peer
        self.peer_apart = Peer(peer.address, peer.port, True, False)
        self.sending = Semaphore()
        self.held: set[gevent.Greenlet] = set()
        self.is_begun = False
        self.is_blocked = False


def _is_ready(listening: socket.socket) -> bool:
    """Whether somebody waits to be accepted."""
    poll = select.poll()
    poll.register(listening.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _pack(family: int, text: str) -> bytes:
    """The octets of an address; the scope of a link-local one is left out."""
    return socket.inet_pton(family, text.partition("%")[0])
