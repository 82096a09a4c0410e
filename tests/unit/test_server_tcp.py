"""TCP connections over real sockets: order, writes, cuts, deadlines, and what a busy one leaves to the others."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent.pool import Pool
from gevent.socket import socket as GeventSocket

from greendns.connections import Connections
from greendns.guardsettings import TcpSettings
from greendns.outcome import Peer
from greendns.server import TcpConnection, TcpServer, UdpServer
from greendns.snapshot import Snapshot
from tests.packets import QUESTION, header
from tests.responding import CHAOS_QUESTION, Responding, load_snapshot, numbered, respond_with

FLOOD = b"\x05flood\x07example\x03com\x00\x00\x01\x00\x01"
# The shortest question there is: refused, so that thousands of them and of their answers fit into a socket's buffers.
ROOT = b"\x00\x00\x01\x00\x01"
DEADLINE_SECONDS = 10.0
PATIENT = TcpSettings(first_seconds=60, idle_seconds=60, message_seconds=60)
SOON = 0.05


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A small zone."""
    return load_snapshot(tmp_path_factory.mktemp("tcp"))


@pytest.fixture
def responding(snapshot: Snapshot) -> Responding:
    """A responder that has counted nothing yet."""
    return respond_with(snapshot)


@pytest.fixture(autouse=True)
def deadline() -> Iterator[None]:
    """Nothing here takes longer."""
    with gevent.Timeout(DEADLINE_SECONDS):
        yield


class Noting(GeventSocket):
    """A connection that notes what is read and written at once."""

    def note(self) -> None:
        self.reads: list[int] = []
        self.writes: list[int] = []

    def recv(self, *arguments: Any) -> bytes:
        octets: bytes = super().recv(*arguments)
        self.reads.append(len(octets))
        return octets


class Connection:
    """A client, and the greenlet that serves it."""

    def __init__(self, responding: Responding, settings: TcpSettings, host: str = "127.0.0.1") -> None:
        self.server = serve_tcp(responding, settings, host)
        family = self.server.socket.family
        self.client = GeventSocket(family, socket.SOCK_STREAM)
        self.client.connect(self.server.socket.getsockname()[:2])
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accepted, address = self.server.socket.accept()
        self.served = Noting(family, socket.SOCK_STREAM, fileno=accepted._sock.detach())
        self.served.note()
        self._send = self.server._send
        self.server._send = self._note_send  # type: ignore[method-assign]
        peer = Peer(socket.inet_pton(family, address[0]), address[1], True, True)
        self.connection = TcpConnection(self.served, peer)
        self.server.connections.admit(self.connection)
        self.greenlet = gevent.spawn(self.server.handle, self.connection)

    def _note_send(self, connection: TcpConnection, answers: bytes) -> None:
        self.served.writes.append(len(answers))
        self._send(connection, answers)

    def close(self) -> None:
        self.client.close()
        self.greenlet.join()
        self.server.close()

    def send_read(self, octets: bytes) -> None:
        """Send, and wait until it was read by itself."""
        before = sum(self.served.reads)
        self.client.sendall(octets)
        while sum(self.served.reads) < before + len(octets):
            gevent.sleep(0)

    def receive(self, count: int) -> list[int]:
        """The IDs of so many answers, in the order they came."""
        return [int.from_bytes(self._receive_message()[:2], "big") for _ in range(count)]

    def receive_all(self) -> list[int]:
        """The IDs of all answers until the server ends the connection."""
        octets = b""
        while chunk := self.client.recv(65536):
            octets += chunk
        found = []
        while octets:
            (length,) = struct.unpack("!H", octets[:2])
            found.append(int.from_bytes(octets[2:4], "big"))
            octets = octets[2 + length :]
        return found

    def _receive_message(self) -> bytes:
        (length,) = struct.unpack("!H", self._receive_exactly(2))
        return self._receive_exactly(length)

    def _receive_exactly(self, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            chunk = self.client.recv(count - len(octets))
            assert chunk, "the server ended the connection"
            octets += chunk
        return octets


def serve_tcp(responding: Responding, settings: TcpSettings, host: str = "127.0.0.1") -> TcpServer:
    """A server that does not accept yet."""
    connections = Connections(gevent.get_hub().loop, settings, responding.responder.counters)
    return TcpServer(listen(host), responding.responder, connections, Pool())


def listen(host: str) -> socket.socket:
    """A listening socket."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.bind((host, 0))
    listening.listen()
    return listening


@pytest.fixture
def connect(responding: Responding) -> Iterator[Callable[..., Connection]]:
    """Make connections with settings of their own."""
    made: list[Connection] = []

    def make(settings: TcpSettings = PATIENT, host: str = "127.0.0.1") -> Connection:
        made.append(Connection(responding, settings, host))
        return made[-1]

    yield make
    for each in made:
        each.close()


def framed(*wires: bytes) -> bytes:
    """Messages as a connection carries them."""
    return b"".join([struct.pack("!H", len(wire)) + wire for wire in wires])


def queries(count: int, question: bytes = QUESTION) -> bytes:
    """So many queries, numbered from 0."""
    return framed(*[numbered(number, question) for number in range(count)])


# -- order and writes


def test_pipelined_queries_are_answered_in_their_order_with_one_write(connect: Callable[..., Connection]) -> None:
    """Thirty queries that come at once: thirty answers that leave at once."""
    connection = connect()
    connection.send_read(queries(30))

    assert connection.receive(30) == list(range(30))
    assert len(connection.served.reads) == 1
    assert len(connection.served.writes) == 1


def test_more_than_a_turn_takes_is_answered_turn_by_turn(
    connect: Callable[..., Connection], responding: Responding
) -> None:
    """Two hundred queries are one read and a few writes."""
    connection = connect()
    connection.send_read(queries(200))

    assert connection.receive(200) == list(range(200))
    assert len(connection.served.reads) == 1
    assert 2 <= len(connection.served.writes) <= 5
    assert responding.outcomes("tcp") == {"answer": 200}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_query_is_answered_over_either_family(connect: Callable[..., Connection], host: str) -> None:
    """What takes its time comes when it is ready."""
    connection = connect(host=host)
    connection.send_read(framed(numbered(1, CHAOS_QUESTION), numbered(2, QUESTION)))

    assert connection.receive(2) == [2, 1]


def test_queries_cut_anywhere_are_put_together(connect: Callable[..., Connection]) -> None:
    """Two queries in two reads, cut at every octet, the length's own included, on one connection."""
    connection = connect()
    whole = queries(2)
    for cut in range(1, len(whole)):
        connection.send_read(whole[:cut])
        connection.send_read(whole[cut:])

        assert connection.receive(2) == [0, 1]
    assert len(connection.served.reads) == 2 * (len(whole) - 1)


def test_queries_may_come_octet_by_octet(connect: Callable[..., Connection]) -> None:
    """Each a read of its own."""
    connection = connect()
    for octet in queries(3):
        connection.send_read(bytes((octet,)))

    assert connection.receive(3) == [0, 1, 2]


def test_the_longest_message_arrives_in_parts(connect: Callable[..., Connection]) -> None:
    """65,535 octets, and a query behind it."""
    connection = connect()
    connection.send_read(framed(numbered(1, QUESTION).ljust(65535, b"\x00"), numbered(2, QUESTION)))

    assert connection.receive(2) == [1, 2]


# -- the end of a connection


def test_what_was_asked_before_the_end_is_answered(connect: Callable[..., Connection]) -> None:
    """A client may close its side at once; what is incomplete then gets no answer."""
    connection = connect()
    connection.client.sendall(queries(3) + b"\x00\x20half")
    connection.client.shutdown(socket.SHUT_WR)

    assert connection.receive_all() == [0, 1, 2]


@pytest.mark.parametrize("ends", [b"", bytes(3), header(0x8000) + QUESTION])
def test_what_gets_no_answer_ends_the_connection(connect: Callable[..., Connection], ends: bytes) -> None:
    """A message of no octets, one without a header, a response: what came before is answered, what follows is not."""
    connection = connect()
    connection.client.sendall(framed(numbered(1, QUESTION), ends, numbered(2, QUESTION)))

    assert connection.receive_all() == [1]


def test_a_reset_is_nothing_to_tell_of(connect: Callable[..., Connection]) -> None:
    """A peer that goes without a word leaves no trace on the log."""
    connection = connect()
    connection.send_read(queries(1))
    connection.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.client.close()
    connection.greenlet.join()

    assert connection.greenlet.successful()


# -- deadlines


def test_an_idle_connection_is_ended(connect: Callable[..., Connection]) -> None:
    """One that has asked nothing, and one that has had its answer."""
    silent = connect(TcpSettings(first_seconds=SOON, idle_seconds=60, message_seconds=60))
    answered = connect(TcpSettings(first_seconds=60, idle_seconds=SOON, message_seconds=60))
    answered.client.sendall(queries(1))

    assert silent.receive_all() == []
    assert answered.receive_all() == [0]


def test_an_incomplete_message_is_waited_for_so_long(connect: Callable[..., Connection]) -> None:
    """However long an idle connection may live; what was whole before is answered."""
    half = connect(TcpSettings(idle_seconds=60, message_seconds=SOON))
    half.client.sendall(queries(1) + queries(1)[:-1])

    assert half.receive_all() == [0]


def test_a_drip_of_octets_does_not_hold_a_connection(connect: Callable[..., Connection]) -> None:
    """The deadline is that of the whole message."""
    connection = connect(TcpSettings(idle_seconds=60, message_seconds=SOON))
    connection.client.sendall(b"\xff\xff")

    def drip() -> None:
        while not connection.greenlet.dead:
            connection.client.send(b"x")
            gevent.sleep(0)

    dripping = gevent.spawn(drip)
    connection.greenlet.join()
    dripping.kill()
    assert 2 < sum(connection.served.reads) < 65535


def test_a_peer_that_does_not_read_is_let_go(connect: Callable[..., Connection]) -> None:
    """Once its answers find no room for as long as a message may take."""
    connection = connect(TcpSettings(idle_seconds=60, message_seconds=SOON))
    # Each answer has 64 kB: more of them than all buffers between the two can hold.
    connection.client.sendall(queries(400, FLOOD))
    connection.greenlet.join()

    assert connection.greenlet.successful()
    assert sum(connection.served.writes) < 400 * 60_000


def test_a_peer_that_reads_slowly_is_kept(connect: Callable[..., Connection]) -> None:
    """As long as each turn's answers leave within their time, the whole may take longer."""
    connection = connect(TcpSettings(idle_seconds=60, message_seconds=5))
    connection.client.sendall(queries(30, FLOOD))

    assert connection.receive(30) == list(range(30))
    assert not connection.greenlet.dead


def test_settings_that_change_count_from_then_on(connect: Callable[..., Connection]) -> None:
    """For the connections that are there too."""
    connection = connect()
    connection.server.connections.take(TcpSettings(idle_seconds=SOON, message_seconds=60), 1000)
    connection.client.sendall(queries(1))

    assert connection.receive_all() == [0]


# -- a busy connection and the others


BUSY = 3_000


@pytest.fixture
def busy(responding: Responding) -> Iterator[tuple[TcpServer, UdpServer]]:
    """Both servers, and a peer that has sent BUSY queries at once; its answers fit into the buffers unread."""
    tcp = serve_tcp(responding, PATIENT)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    datagrams.setblocking(False)
    udp = UdpServer(datagrams, responding.responder)
    with socket.create_connection(tcp.socket.getsockname()) as peer:
        peer.sendall(queries(BUSY, ROOT))
        tcp.start()
        udp.start()
        yield tcp, udp
        while responding.outcomes("tcp").get("refused", 0) < BUSY:
            gevent.sleep(0)
    tcp.stop()
    udp.stop()


def wait_begun(responding: Responding) -> None:
    while not responding.outcomes("tcp"):
        gevent.sleep(0)


def test_a_busy_connection_does_not_keep_datagrams_waiting(
    responding: Responding, busy: tuple[TcpServer, UdpServer]
) -> None:
    """A query that comes while it is being answered has its answer before the rest of it."""
    _, udp = busy
    client = GeventSocket(socket.AF_INET, socket.SOCK_DGRAM)
    wait_begun(responding)
    client.sendto(numbered(7, QUESTION), udp.socket.getsockname())
    answer = client.recv(65535)
    client.close()

    assert answer[:2] == b"\x00\x07"
    assert 0 < responding.outcomes("tcp")["refused"] < BUSY


def test_a_busy_connection_does_not_keep_others_waiting(
    responding: Responding, busy: tuple[TcpServer, UdpServer]
) -> None:
    """Nor a connection that is made meanwhile."""
    tcp, _ = busy
    wait_begun(responding)
    client = GeventSocket(socket.AF_INET, socket.SOCK_STREAM)
    client.connect(tcp.socket.getsockname())
    client.sendall(framed(numbered(7, QUESTION)))
    answer = client.recv(65535)
    client.close()

    assert answer[2:4] == b"\x00\x07"
    assert 0 < responding.outcomes("tcp")["refused"] < BUSY
