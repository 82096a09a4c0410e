"""What a fault of ours does to the packet that met it, and to the next one (G203)."""

from __future__ import annotations

import logging
import random
import socket
import struct
from collections.abc import Sequence
from types import SimpleNamespace

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import gevent
import pytest
from gevent.socket import socket as GeventSocket

import greendns.server
from greendns import is_compiled
from greendns.counters import Counters
from greendns.loader import load_files
from greendns.outcome import Peer
from greendns.responder import Responder
from greendns.server import FaultLog, UdpServer
from greendns.snapshot import Snapshot
from greendns.zone import Zone
from greendns.zonedb import ZoneDB
from tests.counting import new_counters
from tests.packets import NO_ERROR, QUESTION, ZONE, header, opt_record, rcode_of
from tests.serving import write_zones


class BrokenZones(ZoneDB):
    """Zones that raise instead of matching."""

    def match(self, qname: bytes, qtype: int) -> Zone | None:
        """A fault, its place told by the type asked for."""
        if qtype == dns.rdatatype.AAAA:
            raise KeyError(qname)
        raise RuntimeError("broken on purpose")


LOOPBACK = Peer(b"\x7f\x00\x00\x01", 5353, is_tcp=False)
BROKEN = Snapshot(BrokenZones(()))
AAAA_QUESTION = QUESTION[:-4] + b"\x00\x1c\x00\x01"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The zone as it should be, in this process."""
    directory = tmp_path_factory.mktemp("zones")
    write_zones(directory, {"example.com": ZONE})
    (loaded,) = load_files([directory / "example.com.json"])
    assert loaded.zone is not None
    return Snapshot(ZoneDB([loaded.zone]))


def broken(counters: Counters | None = None) -> Responder:
    """A responder that fails on every question, and logs that."""
    counters = counters or new_counters()[0]
    return Responder(BROKEN, counters, random.Random(1).randrange, FaultLog().tell)


def respond(responder: Responder, wires: Sequence[bytes]) -> list[bytes]:
    """The answers to packets from loopback."""
    answers = [responder.respond(wire, LOOPBACK, 1.7e9) for wire in wires]
    return [answer for answer in answers if answer is not None]


def test_G203_a_fault_is_answered_servfail() -> None:
    """Without AA, the question echoed, RD copied; an OPT where one was asked with."""
    responder = broken()
    plain, with_edns = respond(
        responder, [header(dns.flags.RD) + QUESTION, header(ar=1) + QUESTION + opt_record(flags=0x8000)]
    )

    assert struct.unpack("!6H", plain[:12]) == (0x4744, dns.flags.QR | dns.flags.RD | 2, 1, 0, 0, 0)
    assert plain[12:] == QUESTION
    answer = dns.message.from_wire(with_edns)
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert (answer.edns, answer.ednsflags) == (0, 0x8000)


def test_G203_the_next_packet_is_served(sound: Snapshot) -> None:
    """A fault leaves nothing behind."""
    responder = broken()
    respond(responder, [header() + QUESTION] * 3)
    responder.snapshot = sound
    (answer,) = respond(responder, [header() + QUESTION])

    assert rcode_of(answer) == NO_ERROR
    assert answer[6:8] == b"\x00\x01"


def test_G203_a_fault_is_counted() -> None:
    """Once as a failure, once as what became of the packet: outcomes sum to the packets read."""
    counters, totals = new_counters()
    respond(broken(counters), [header() + QUESTION] * 3 + [header()[:5]])

    assert totals().failures == 3
    assert +totals().outcomes == {("udp", "failed"): 3, ("udp", "dropped"): 1}


def test_G203_a_fault_is_logged_once_a_second_per_cause(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten of one and ten of another are two messages, each with its trace; a second later there is one more."""
    clock = SimpleNamespace(time=lambda: 1.7e9, monotonic=lambda: 1000.0)
    monkeypatch.setattr(greendns.server, "time", clock)
    responder = broken()

    with caplog.at_level(logging.ERROR):
        respond(responder, [header() + QUESTION, header() + AAAA_QUESTION] * 10)
        assert ["RuntimeError" in text or "KeyError" in text for text in caplog.messages] == [True, True]
        assert all(record.exc_info for record in caplog.records)

        clock.monotonic = lambda: 1000.9
        respond(responder, [header() + QUESTION])
        assert len(caplog.messages) == 2

        clock.monotonic = lambda: 1001.0
        respond(responder, [header() + QUESTION] * 10)
        assert len(caplog.messages) == 3


@pytest.mark.skipif("responder" in is_compiled(), reason="a function can't be replaced in a compiled module")
def test_G203_a_fault_in_reading_a_packet_does_not_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even the packet can be read: silence, but no exception."""

    def fail(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("greendns.responder.answer_with", fail)
    monkeypatch.setattr("greendns.responder.servfail", fail)
    counters, totals = new_counters()

    answers = respond(broken(counters), [header() + QUESTION, b"", b"\xff" * 600])

    assert answers == []
    assert totals().outcomes["udp", "failed"] == 3


def test_G203_a_fault_does_not_stop_a_udp_server(sound: Snapshot) -> None:
    """On a real socket: SERVFAIL for as long as the fault lasts, an answer for the next packet after it."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))
    listening.setblocking(False)
    address = listening.getsockname()
    responder = broken()
    server = UdpServer(listening, responder)
    server.start()
    client = GeventSocket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        with gevent.Timeout(5):
            assert rcode_of(_ask(client, address)) == dns.rcode.SERVFAIL
            responder.snapshot = sound
            assert rcode_of(_ask(client, address)) == NO_ERROR
    finally:
        client.close()
        server.stop()


def _ask(client: GeventSocket, address: tuple[str, int]) -> bytes:
    client.sendto(header() + QUESTION, address)
    answer: bytes = client.recv(65535)
    return answer
