"""Batches of datagrams over real sockets: both ways of reading them do the same, compiled and as Python."""

from __future__ import annotations

import gc
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gevent
import pytest

from greendns.datagrams import BATCH, BATCHES
from greendns.outcome import Peer
from greendns.server import UdpServer
from greendns.snapshot import Snapshot
from tests.packets import FORM_ERROR, NO_ERROR, QUESTION, header, rcode_of
from tests.responding import CHAOS_QUESTION, DRAWN_QUESTION, Responding, load_snapshot, numbered, respond_with
from tests.unit.datagramkinds import IMPLEMENTATIONS

SERVFAIL = 2
DEADLINE_SECONDS = 5.0
TURN = BATCH * BATCHES


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A small zone."""
    return load_snapshot(tmp_path_factory.mktemp("datagrams"))


@dataclass
class Edge:
    """A listening socket and its datagrams, answered when told to; what was held back."""

    listening: socket.socket
    responding: Responding
    make: Callable[..., Any]
    held: list[tuple[bytes, Peer, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.datagrams = self.make(self.listening, self.responding.responder, self.hold)

    def hold(self, wire: bytes, peer: Peer, way: Any) -> None:
        self.held.append((wire, peer, way))

    @property
    def port(self) -> int:
        port: int = self.listening.getsockname()[1]
        return port


@pytest.fixture(params=IMPLEMENTATIONS)
def listen(request: pytest.FixtureRequest, snapshot: Snapshot) -> Iterator[Callable[..., Edge]]:
    """Bind a socket that one of the implementations reads."""
    sockets: list[socket.socket] = []

    def bind(address: str = "127.0.0.1", draw: Callable[[int], int] | None = None) -> Edge:
        listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        sockets.append(listening)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        listening.setblocking(False)
        listening.bind((address, 0))
        return Edge(listening, respond_with(snapshot, draw), IMPLEMENTATIONS[request.param])

    yield bind
    for each in sockets:
        each.close()


def client(edge: Edge, address: str = "127.0.0.1", source: str = "") -> socket.socket:
    """A connected socket: it takes answers from nowhere else than where it asked."""
    asking = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    asking.setblocking(False)
    if source:
        asking.bind((source, 0))
    asking.connect((address, edge.port))
    return asking


def read_waiting(asking: socket.socket) -> list[bytes]:
    """Everything that has arrived: on loopback that is all that was sent."""
    found = []
    while True:
        try:
            found.append(asking.recv(65535))
        except BlockingIOError:
            return found


# -- answers in place


def test_a_query_is_answered_in_place(listen: Callable[..., Edge]) -> None:
    """In the call that reads it."""
    edge = listen()
    with client(edge) as asking:
        asking.send(numbered(7, QUESTION))
        edge.datagrams.answer_waiting()
        (answer,) = read_waiting(asking)

    assert answer[:2] == b"\x00\x07"
    assert rcode_of(answer) == NO_ERROR
    assert edge.responding.outcomes("udp") == {"answer": 1}


def test_nothing_waiting_is_nothing(listen: Callable[..., Edge]) -> None:
    """A call without a packet returns."""
    edge = listen()
    edge.datagrams.answer_waiting()

    assert edge.responding.outcomes("udp") == {}


def test_everybody_in_a_batch_gets_his_own_answer(listen: Callable[..., Edge]) -> None:
    """Fifty clients, some answered, some not, some held back: nobody gets another's."""
    edge = listen()
    clients = [client(edge) for _ in range(50)]
    for number, asking in enumerate(clients):
        asking.send((numbered(number, QUESTION), b"\x00", numbered(number, CHAOS_QUESTION))[number % 3])
    edge.datagrams.answer_waiting()
    answers = [read_waiting(asking) for asking in clients]
    ports = [asking.getsockname()[1] for asking in clients]
    for asking in clients:
        asking.close()

    assert [[number.to_bytes(2, "big")] if number % 3 == 0 else [] for number in range(50)] == [
        [answer[:2] for answer in each] for each in answers
    ]
    assert [(number.to_bytes(2, "big"), ports[number]) for number in range(2, 50, 3)] == [
        (wire[:2], peer.port) for wire, peer, _ in edge.held
    ]
    assert edge.responding.outcomes("udp") == {"answer": 17, "dropped": 17}


def test_a_peer_has_its_address_and_port(listen: Callable[..., Edge]) -> None:
    """As a packet that is held back tells."""
    for address, octets in (("127.0.0.1", b"\x7f\x00\x00\x01"), ("::1", bytes(15) + b"\x01")):
        edge = listen(address)
        with client(edge, address) as asking:
            asking.send(header() + CHAOS_QUESTION)
            edge.datagrams.answer_waiting()
            ((wire, peer, _),) = edge.held

            assert wire == header() + CHAOS_QUESTION
            assert (peer.address, peer.port) == (octets, asking.getsockname()[1])
            assert (peer.is_tcp, peer.is_batched) == (False, True)


# -- what is not answered at once


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_an_answer_that_waits_is_held_and_sent_later(listen: Callable[..., Edge], address: str) -> None:
    """Nothing is sent or counted before; then it finds its way, also when other packets have come meanwhile."""
    edge = listen(address)
    asked = {"0.0.0.0": "127.0.0.2", "::": "::1"}.get(address, address)
    with client(edge, asked) as asking, client(edge, asked) as other:
        asking.send(header() + CHAOS_QUESTION)
        edge.datagrams.answer_waiting()
        assert read_waiting(asking) == []
        assert edge.responding.outcomes("udp") == {}
        ((_, _, way),) = edge.held

        other.send(header() + QUESTION)
        edge.datagrams.answer_waiting()
        edge.datagrams.send(b"an answer", way)

        assert read_waiting(asking) == [b"an answer"]
        assert len(read_waiting(other)) == 1


def test_what_can_not_be_sent_later_is_counted(listen: Callable[..., Edge]) -> None:
    """An answer longer than any datagram."""
    edge = listen()
    with client(edge) as asking:
        asking.send(header() + CHAOS_QUESTION)
        edge.datagrams.answer_waiting()
        ((_, _, way),) = edge.held
        edge.datagrams.send(bytes(65508), way)

        assert read_waiting(asking) == []
    assert edge.responding.totals().unsent == 1


def test_a_fault_in_holding_does_not_take_the_batch_with_it(listen: Callable[..., Edge]) -> None:
    """What came before and behind it in the batch is answered; the fault is told and counted."""
    edge = listen()

    def fail(*_: Any) -> None:
        raise RuntimeError("broken on purpose")

    edge.datagrams = edge.make(edge.listening, edge.responding.responder, fail)
    with client(edge) as asking:
        for number, question in enumerate((QUESTION, CHAOS_QUESTION, QUESTION, CHAOS_QUESTION)):
            asking.send(numbered(number, question))
        edge.datagrams.answer_waiting()

        assert [answer[:2] for answer in read_waiting(asking)] == [b"\x00\x00", b"\x00\x02"]
        assert list(map(repr, edge.responding.faults)) == ["RuntimeError('broken on purpose')"] * 2
        assert edge.responding.outcomes("udp") == {"answer": 2, "failed": 2}

        asking.send(numbered(9, QUESTION))
        edge.datagrams.answer_waiting()
        assert [answer[:2] for answer in read_waiting(asking)] == [b"\x00\x09"]


def test_a_fault_in_answering_is_answered_servfail(listen: Callable[..., Edge]) -> None:
    """The others of the batch have their answers."""

    def fail(_: int) -> int:
        raise RuntimeError("broken on purpose")

    edge = listen(draw=fail)
    with client(edge) as asking:
        for number, question in enumerate((QUESTION, DRAWN_QUESTION, QUESTION)):
            asking.send(numbered(number, question))
        edge.datagrams.answer_waiting()

        assert [rcode_of(answer) for answer in read_waiting(asking)] == [NO_ERROR, SERVFAIL, NO_ERROR]
    assert len(edge.responding.faults) == 1


# -- the way back


@pytest.mark.parametrize(
    ("listening_on", "asked"),
    [("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "127.0.0.2"), ("0.0.0.0", "127.0.0.3"), ("::", "::1"), ("127.0.0.2",) * 2],
)
def test_an_answer_comes_from_the_address_that_was_asked(
    listen: Callable[..., Edge], listening_on: str, asked: str
) -> None:
    """A connected socket drops what comes from elsewhere."""
    edge = listen(listening_on)
    with client(edge, asked) as asking:
        asking.send(header() + QUESTION)
        edge.datagrams.answer_waiting()

        assert len(read_waiting(asking)) == 1


def test_one_batch_may_be_of_several_addresses(listen: Callable[..., Edge]) -> None:
    """Each answer leaves from its own."""
    edge = listen("0.0.0.0")
    clients = [client(edge, f"127.0.0.{host}", source=f"127.0.1.{host}") for host in range(1, 60)]
    for number, asking in enumerate(clients):
        asking.send(numbered(number, QUESTION))
    edge.datagrams.answer_waiting()
    answers = [read_waiting(asking) for asking in clients]
    for asking in clients:
        asking.close()

    assert [number.to_bytes(2, "big") for number in range(59)] == [answer[:2] for each in answers for answer in each]


@pytest.mark.skipif(os.geteuid() != 0, reason="a source port of 0 can be sent only from a raw socket, as root")
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_source_port_of_0_is_not_answered_and_the_next_ones_are(listen: Callable[..., Edge], address: str) -> None:
    """The system refuses to send there; that is counted, and holds nothing up."""
    edge = listen(address)
    wire = header() + QUESTION
    with client(edge) as asking, socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
        for number in range(4):
            asking.send(numbered(number, QUESTION))
            raw.sendto(struct.pack("!4H", 0, edge.port, 8 + len(wire), 0) + wire, ("127.0.0.1", 0))
        asking.send(numbered(4, QUESTION))
        edge.datagrams.answer_waiting()

        assert [answer[:2] for answer in read_waiting(asking)] == [number.to_bytes(2, "big") for number in range(5)]
    assert edge.responding.outcomes("udp") == {"answer": 9}
    assert edge.responding.totals().unsent == 4


# -- sizes


@pytest.mark.parametrize(("address", "octets"), [("127.0.0.1", 65507), ("::1", 65527)])
def test_the_longest_datagrams_are_read_whole(listen: Callable[..., Edge], address: str, octets: int) -> None:
    """Every octet of IPv4's and IPv6's longest: held back, so that it shows."""
    edge = listen(address)
    # An OPT with as many octets of padding as there is room for, in options of at most 65,535 octets.
    start = header(ar=1) + CHAOS_QUESTION + b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00"
    rest = octets - len(start) - 6
    whole = start + struct.pack("!HHH", rest + 4, 65001, rest) + bytes(n % 251 for n in range(rest))
    with client(edge, address) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        for wire in (whole, whole[:-1], header() + QUESTION + bytes(octets - 12 - len(QUESTION))):
            asking.send(wire)
        edge.datagrams.answer_waiting()

        assert [wire for wire, _, _ in edge.held] == [whole]
        assert [rcode_of(answer) for answer in read_waiting(asking)] == [FORM_ERROR, FORM_ERROR]


def test_datagrams_of_no_octets_are_silence(listen: Callable[..., Edge]) -> None:
    """They end neither the batch nor the turn."""
    edge = listen()
    with client(edge) as asking:
        for wire in (b"", numbered(1, QUESTION), b"", b"", numbered(2, QUESTION), b""):
            asking.send(wire)
        edge.datagrams.answer_waiting()

        assert [answer[:2] for answer in read_waiting(asking)] == [b"\x00\x01", b"\x00\x02"]
    assert edge.responding.outcomes("udp") == {"answer": 2, "dropped": 4}


def test_a_long_datagram_leaves_nothing_in_a_short_one_behind_it(listen: Callable[..., Edge]) -> None:
    """A place of the batch is used again: only what came counts."""
    edge = listen()
    with client(edge) as asking:
        for _ in range(3):
            for number in range(BATCH):
                asking.send(numbered(number, QUESTION) + (bytes(500) if number % 2 else b""))
            edge.datagrams.answer_waiting()
            answers = read_waiting(asking)
            assert [rcode_of(answer) for answer in answers] == [NO_ERROR, FORM_ERROR] * (BATCH // 2)
            for number in range(BATCH):
                asking.send(numbered(number, QUESTION))
            edge.datagrams.answer_waiting()
            assert [rcode_of(answer) for answer in read_waiting(asking)] == [NO_ERROR] * BATCH


# -- how many


@pytest.mark.parametrize("waiting", [BATCH - 1, BATCH, BATCH + 1, TURN - 1, TURN])
def test_a_turn_answers_what_waits(listen: Callable[..., Edge], waiting: int) -> None:
    """Up to BATCH * BATCHES, also where a batch is just full."""
    edge = listen()
    with client(edge) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        for number in range(waiting):
            asking.send(numbered(number, QUESTION))
        edge.datagrams.answer_waiting()

        assert len(read_waiting(asking)) == waiting


def test_a_turn_ends(listen: Callable[..., Edge]) -> None:
    """What is beyond BATCH * BATCHES waits for the next one."""
    edge = listen()
    with client(edge) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        for number in range(TURN + 50):
            asking.send(numbered(number, QUESTION))
        for waiting in (TURN, 50, 0):
            edge.datagrams.answer_waiting()
            assert len(read_waiting(asking)) == waiting


def test_others_have_their_turn_in_between(snapshot: Snapshot) -> None:
    """A server on the hub: a greenlet runs after BATCH * BATCHES answers, and the rest is answered after it."""
    responding = respond_with(snapshot)
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    listening.bind(("127.0.0.1", 0))
    listening.setblocking(False)
    address = listening.getsockname()
    server = UdpServer(listening, responding.responder)
    waiting = TURN + 100
    seen = [0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for number in range(waiting):
            asking.sendto(numbered(number, QUESTION), address)
        server.start()
        try:
            with gevent.Timeout(DEADLINE_SECONDS):
                while seen[-1] < waiting:
                    gevent.sleep(0)
                    seen.append(responding.outcomes("udp").get("answer", 0))
        finally:
            server.stop()

    assert sorted(set(seen)) == [0, TURN, waiting]


def test_answering_keeps_nothing(listen: Callable[..., Edge]) -> None:
    """Two thousand packets of every fate, and no more objects than before."""
    edge = listen("0.0.0.0")

    def ask_some(asking: socket.socket) -> None:
        for question in (QUESTION, CHAOS_QUESTION, DRAWN_QUESTION, b""):
            for number in range(20):
                asking.send(numbered(number, question)[: 12 + len(question) * (number % 5 != 0)])
        edge.datagrams.answer_waiting()
        read_waiting(asking)
        edge.held.clear()

    with client(edge, "127.0.0.2") as asking:
        for _ in range(3):
            ask_some(asking)
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(25):
            ask_some(asking)
        gc.collect()

        assert sys.getallocatedblocks() - before < 200
