"""The open-loop sender counts right: against a server that loses every tenth query, and one that isn't there."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench.needed import needs
from tests.bench.poolzone import framed, make_packet
from tests.load import openloop
from tests.serving import wait_until

NXDOMAIN = 3
RATE = 2000
# So many small packets wait in a receive buffer of the kernel's usual limit: none is lost where the server has to wait
# for the processor.
QUERIES = 500

Answer = Callable[[int, bytes], bytes]


pytestmark = needs("cc", "build-essential")


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return openloop.build(tmp_path_factory.mktemp("sender"))


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three questions, of which one has a first label that is long enough to be made unique."""
    names = ["www.example.com", "a.example.com", f"{'x' * 16}.example.com"]
    path = tmp_path_factory.mktemp("packets") / "queries.bin"
    path.write_bytes(framed(make_packet(name, "A") for name in names))
    return path


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[int, list[tuple[int, bytes]]]]:
    """A server that answers with `answer` of a query's number and octets, b"" for nothing; its port, and what it got
    so far as (port, packet).
    """
    got: list[tuple[int, bytes]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)  # it gets what the kernel allows
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(server, answer, got))
        thread.start()
        try:
            yield server.getsockname()[1], got
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
                ending.sendto(b"", server.getsockname())
            thread.join()


def _serve(server: socket.socket, answer: Answer, got: list[tuple[int, bytes]]) -> None:
    while True:
        wire, peer = server.recvfrom(512)
        if not wire:
            return
        answered = answer(len(got), wire)
        got.append((peer[1], wire))
        if answered:
            server.sendto(answered, peer)


def echo(_: int, wire: bytes) -> bytes:
    """The query as its own answer."""
    return wire[:2] + struct.pack("!H", 0x8000 | struct.unpack("!H", wire[2:4])[0]) + wire[4:]


def test_what_is_lost_is_counted(sender: Path, packets: Path) -> None:
    """Every tenth query has no answer; each of the others has one."""
    with serving(lambda number, wire: echo(number, wire) if number % 10 else b"") as (port, got):
        sent = openloop.send(sender, port, packets, rate=RATE, total=QUERIES, patience=3000)

    assert (sent.sent, sent.answered, sent.lost) == (500, 450, 50)
    assert sent.rcodes == {0: 450}
    assert sent.lost_share == 0.1
    assert len(got) == QUERIES


def test_the_queries_come_from_many_ports_as_the_file_has_them(sender: Path, packets: Path) -> None:
    """Each packet of the file in its turn, with an id of its own on its port."""
    with serving(echo) as (port, got):
        openloop.send(sender, port, packets, rate=RATE, total=450, sockets=50)

    questions = [wire[2:] for _, wire in got]
    assert len({source for source, _ in got}) == 50
    assert {questions.count(question) for question in set(questions)} == {150}
    assert len({(source, wire[:2]) for source, wire in got}) == 450


def test_a_run_takes_its_time(sender: Path, packets: Path) -> None:
    """The schedule is kept: neither ahead of it, nor after the last answer for no reason."""
    with serving(echo) as (port, _):
        sent = openloop.send(sender, port, packets, rate=RATE, seconds=0.25)

    assert sent.sent == RATE / 4
    assert sent.seconds >= 0.249


def test_a_run_ends_when_told(sender: Path, packets: Path) -> None:
    """What is on its way then is waited for, and none of it is lost."""
    with serving(echo) as (port, got):
        process = openloop.start(sender, port, packets, rate=RATE, seconds=600)
        wait_until(lambda: len(got) > 100, "some queries")
        sent = openloop.end(process)

    assert 100 < sent.sent < 600 * RATE
    assert (sent.lost, len(got)) == (0, sent.sent)


def test_a_stall_is_seen_in_the_worst_window(sender: Path, packets: Path) -> None:
    """No answer comes for a while: none is lost, and the rate fell to nothing."""

    def stall(number: int, wire: bytes) -> bytes:
        if number == QUERIES // 2:
            threading.Event().wait(0.3)
        return echo(number, wire)

    with serving(stall) as (port, _):
        sent = openloop.send(sender, port, packets, rate=RATE, total=QUERIES * 2, patience=20_000)

    assert (sent.lost, sent.slowest_rate) == (0, 0)
    assert sent.longest >= 200


def test_answers_are_told_by_rcode(sender: Path, packets: Path) -> None:
    """An answer that says no is an answer; one that comes for nothing is none."""

    def deny(number: int, wire: bytes) -> bytes:
        answered = echo(number, wire)
        return answered[:3] + bytes((answered[3] | NXDOMAIN,)) + answered[4:]

    with serving(deny) as (port, _):
        sent = openloop.send(sender, port, packets, rate=RATE, total=100)

    assert sent.rcodes == {NXDOMAIN: 100}


def test_who_sends_questions_back_has_not_answered(sender: Path, packets: Path) -> None:
    """Without QR it is no answer, and with another id it is none of ours."""

    def wrong(number: int, wire: bytes) -> bytes:
        return wire if number % 2 else bytes((wire[0] ^ 0x80,)) + echo(number, wire)[1:]

    with serving(wrong) as (port, _):
        sent = openloop.send(sender, port, packets, rate=RATE, total=100, patience=200)

    assert (sent.answered, sent.lost) == (0, 100)


def test_an_answer_after_the_patience_is_lost(sender: Path, packets: Path) -> None:
    """The client has asked somebody else by then. The first answer leaves when the second query comes, 1 s later."""
    held: list[bytes] = []

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)

        def hold() -> None:
            first, peer = server.recvfrom(512)
            held.append(first)
            server.recvfrom(512)
            server.sendto(echo(0, first), peer)

        thread = threading.Thread(target=hold)
        thread.start()
        sent = openloop.send(sender, server.getsockname()[1], packets, rate=1, total=2, patience=300, sockets=1)
        thread.join()

    assert len(held) == 1
    assert (sent.sent, sent.answered) == (2, 0)


def test_latency_counts_from_when_a_query_was_due(sender: Path, packets: Path) -> None:
    """A server that stalls for a while lets all queries that were due meanwhile wait, though it got them in time."""
    stall = threading.Event()

    def stalled(number: int, wire: bytes) -> bytes:
        if number == 0:
            stall.wait(0.2)
        return echo(number, wire)

    with serving(stalled) as (port, _):
        sent = openloop.send(sender, port, packets, rate=RATE, total=400, patience=20_000)

    assert sent.answered == 400
    assert sent.longest >= 199
    assert sent.p50 >= 50


def test_a_closed_loop_sends_when_answers_come(sender: Path, packets: Path) -> None:
    """As many as asked for, and no more on their way than allowed."""
    with serving(echo) as (port, got):
        sent = openloop.send(sender, port, packets, outstanding=20, total=3000, patience=20_000)

    assert (sent.sent, sent.answered, len(got)) == (3000, 3000, 3000)


def test_a_closed_loop_goes_on_when_queries_are_lost(sender: Path, packets: Path) -> None:
    """What was given up makes room."""
    with serving(lambda number, wire: echo(number, wire) if number % 100 else b"") as (port, _):
        sent = openloop.send(sender, port, packets, outstanding=4, total=1000, patience=100)

    assert (sent.sent, sent.lost) == (1000, 10)


def test_unique_names_are_all_different(sender: Path, tmp_path: Path) -> None:
    """Also from run to run, if they don't count from the same number; and they are names as before."""
    path = tmp_path / "queries.bin"
    path.write_bytes(framed([make_packet(f"{'x' * 16}.example.com", "A")]))
    with serving(echo) as (port, got):
        openloop.send(sender, port, path, rate=RATE, total=500, unique=0)
        openloop.send(sender, port, path, rate=RATE, total=500, unique=500)

    labels = {wire[13:29] for _, wire in got}
    assert len(labels) == 1000
    assert all(set(label) <= set(b"0123456789abcdef") for label in labels)
    assert {wire[:13][2:] + wire[29:] for _, wire in got} == {path.read_bytes()[4:15] + path.read_bytes()[31:]}


def test_a_name_that_is_too_short_to_be_unique_is_told(sender: Path, packets: Path) -> None:
    with pytest.raises(SystemExit, match="first labels of 16 octets"):
        openloop.send(sender, 53, packets, total=1, unique=0)


def test_nobody_there_is_a_loss_not_an_error(sender: Path, packets: Path) -> None:
    """The port was somebody's, and is nobody's now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]

    sent = openloop.send(sender, port, packets, rate=RATE, total=100, patience=100)

    assert (sent.sent, sent.lost) == (100, 100)
