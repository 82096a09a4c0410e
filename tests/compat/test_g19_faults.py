"""What a fault of ours does to the packet that met it, and to the next one (G203)."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Sequence
from types import SimpleNamespace

import dns.flags
import dns.message
import dns.rcode
import gevent
import pytest
from gevent.socket import socket as GeventSocket

import greendns.server
from greendns.outcome import Peer
from greendns.responder import Responder
from greendns.server import FaultLog, UdpServer
from greendns.snapshot import Snapshot
from tests.counting import new_counters
from tests.packets import NO_ERROR, QUESTION, header, opt_record, rcode_of
from tests.responding import load_snapshot, respond_with

LOOPBACK = Peer(b"\x7f\x00\x00\x01", 5353, is_tcp=False)
NOW = 1_700_000_000.0
# Both draw, the first of them from 200 equal records.
MANY = b"\x04many\x07example\x03com\x00\x00\x01\x00\x01"
FLOOD = b"\x05flood\x07example\x03com\x00\x00\x01\x00\x01"


def broken(n: int) -> int:
    """A random source that fails, in two places."""
    if n > 200:
        raise KeyError(n)
    raise RuntimeError("broken on purpose")


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The zone as it should be, in this process."""
    return load_snapshot(tmp_path_factory.mktemp("zones"))


def respond(responder: Responder, wires: Sequence[bytes]) -> list[bytes]:
    """The answers to packets from loopback."""
    answers = [responder.respond(wire, LOOPBACK, NOW) for wire in wires]
    return [answer for answer in answers if answer is not None]


def test_G203_a_fault_is_answered_servfail(snapshot: Snapshot) -> None:
    """Without AA, the question echoed, RD copied; an OPT where one was asked with."""
    responder = respond_with(snapshot, broken).responder
    plain, with_edns = respond(responder, [header(dns.flags.RD) + MANY, header(ar=1) + MANY + opt_record(flags=0x8000)])

    assert struct.unpack("!6H", plain[:12]) == (0x4744, dns.flags.QR | dns.flags.RD | 2, 1, 0, 0, 0)
    assert plain[12:] == MANY
    answer = dns.message.from_wire(with_edns)
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert (answer.edns, answer.ednsflags) == (0, 0x8000)


def test_G203_the_next_packet_is_served(snapshot: Snapshot) -> None:
    """A fault leaves nothing behind."""
    responder = respond_with(snapshot, broken).responder
    respond(responder, [header() + MANY] * 3)
    (answer,) = respond(responder, [header() + QUESTION])

    assert rcode_of(answer) == NO_ERROR
    assert answer[6:8] == b"\x00\x01"


def test_G203_a_fault_is_counted(snapshot: Snapshot) -> None:
    """Once as a failure, once as what became of the packet: outcomes sum to the packets read."""
    responding = respond_with(snapshot, broken)
    respond(responding.responder, [header() + MANY] * 3 + [header()[:5]])

    assert responding.totals().failures == 3
    assert responding.outcomes("udp") == {"failed": 3, "dropped": 1}


def test_G203_a_fault_is_logged_once_a_second_per_cause(
    snapshot: Snapshot, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten of one and ten of another are two messages, each with its trace; a second later there is one more."""
    clock = SimpleNamespace(time=lambda: NOW, monotonic=lambda: 1000.0)
    monkeypatch.setattr(greendns.server, "time", clock)
    responder = Responder(snapshot, new_counters()[0], broken, FaultLog().tell)

    with caplog.at_level(logging.ERROR):
        respond(responder, [header() + MANY, header() + FLOOD] * 10)
        assert ["RuntimeError" in text or "KeyError" in text for text in caplog.messages] == [True, True]
        assert all(record.exc_info for record in caplog.records)

        clock.monotonic = lambda: 1000.9
        respond(responder, [header() + MANY])
        assert len(caplog.messages) == 2

        clock.monotonic = lambda: 1001.0
        respond(responder, [header() + MANY] * 10)
        assert len(caplog.messages) == 3


def test_G203_a_fault_in_reading_a_packet_does_not_escape(snapshot: Snapshot) -> None:
    """Where not even the packet can be read: silence, but no exception."""
    responding = respond_with(snapshot)
    no_packet: bytes = None  # type: ignore[assignment]

    assert respond(responding.responder, [no_packet] * 3) == []
    assert responding.outcomes("udp") == {"failed": 3}
    assert len(responding.faults) == 3


def test_G203_a_fault_does_not_stop_a_udp_server(snapshot: Snapshot) -> None:
    """On a real socket: SERVFAIL for as long as the fault lasts, an answer for the next packet after it."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))
    listening.setblocking(False)
    address = listening.getsockname()
    draws = [broken, lambda n: n - 1]
    server = UdpServer(listening, respond_with(snapshot, lambda n: draws[0](n)).responder)
    server.start()
    client = GeventSocket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        with gevent.Timeout(5):
            assert rcode_of(_ask(client, address)) == dns.rcode.SERVFAIL
            draws.pop(0)
            assert rcode_of(_ask(client, address)) == NO_ERROR
    finally:
        client.close()
        server.stop()


def _ask(client: GeventSocket, address: tuple[str, int]) -> bytes:
    client.sendto(header() + MANY, address)
    answer: bytes = client.recv(65535)
    return answer
