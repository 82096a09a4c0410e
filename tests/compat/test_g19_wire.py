"""Flags, classes and transfers as they stand on the wire (G190, G191, G202)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import pytest

from tests.packets import QUESTION, REFUSED, SOA_RECORD, exchange, header, rcode_of, serving_packets
from tests.serving import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all packets of this module."""
    with serving_packets(tmp_path_factory.mktemp("wire")) as running:
        yield running


# -- flags


@pytest.mark.parametrize(
    ("name", "rrtype"),
    [
        ("www.example.com", "A"),
        ("www.example.com", "AAAA"),
        ("nope.example.com", "A"),
        ("example.com", "SOA"),
        ("chain.example.com", "A"),
    ],
)
def test_G190_answers_of_a_zone_are_authoritative(server: Server, name: str, rrtype: str) -> None:
    """AA, also for NODATA and NXDOMAIN."""
    assert server.ask(name, rrtype).flags & dns.flags.AA


@pytest.mark.parametrize("sent", [0, dns.flags.RD, dns.flags.CD, dns.flags.RD | dns.flags.CD])
def test_G190_rd_and_cd_are_copied(server: Server, sent: int) -> None:
    """QR and AA beside them; RA, AD and the reserved bit never."""
    everything = sent | dns.flags.AD | dns.flags.AA | dns.flags.TC | dns.flags.RA | 0x0040
    for flags in (sent, everything):
        answer = exchange(server, header(flags) + QUESTION)

        assert struct.unpack("!H", answer[2:4])[0] == dns.flags.QR | dns.flags.AA | sent


def test_G190_the_id_comes_back(server: Server) -> None:
    """All sixteen bits of it."""
    for number in (0, 1, 0x00FF, 0xFF00, 0xFFFF):
        assert exchange(server, struct.pack("!H", number) + header()[2:] + QUESTION)[:2] == struct.pack("!H", number)


def test_G190_the_case_of_the_question_is_kept(server: Server) -> None:
    """In the question and in the owner of the answer (G119)."""
    question = b"\x03wWw\x07eXample\x03COM\x00\x00\x01\x00\x01"
    answer = exchange(server, header() + question)

    assert answer[12 : 12 + len(question)] == question
    assert dns.message.from_wire(answer).answer[0].name.to_text() == "wWw.eXample.COM."


# -- class


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("version.bind", "GreenDNS "),
        ("VERSION.server", "GreenDNS "),
        ("hostname.bind", "testid"),
        ("id.server", "testid"),
    ],
)
def test_G191_the_server_names_are_answered_in_class_chaos(server: Server, name: str, text: str) -> None:
    """One TXT record, itself of class CH."""
    answer = server.ask(name, "TXT", rdclass="CH")
    (rrset,) = answer.answer

    assert answer.rcode() == dns.rcode.NOERROR
    assert rrset.rdclass == dns.rdataclass.CH
    assert rrset[0].strings[0].decode().startswith(text)


@pytest.mark.parametrize("name", ["example.com", "www.example.com", "authors.bind", "bind", ".", "www.version.bind"])
def test_G191_other_names_are_refused_in_class_chaos(server: Server, name: str) -> None:
    """Zones are of class IN: no AA, nothing in any section."""
    answer = server.ask(name, "TXT", rdclass="CH")

    assert answer.rcode() == dns.rcode.REFUSED
    assert not answer.flags & dns.flags.AA
    assert (answer.answer, answer.authority, answer.additional) == ([], [], [])


@pytest.mark.parametrize("number", [0, 2, 4, 254, 255, 65535])
def test_G191_every_other_class_is_refused(server: Server, number: int) -> None:
    """HS, NONE and ANY among them."""
    assert rcode_of(exchange(server, header() + QUESTION[:-2] + struct.pack("!H", number))) == REFUSED


# -- transfers


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize(("rrtype", "authority"), [(252, b""), (251, b""), (251, SOA_RECORD)])
def test_G202_transfers_are_refused(server: Server, rrtype: int, authority: bytes, tcp: bool) -> None:
    """AXFR and IXFR, over both transports: no AA, no SOA."""
    question = QUESTION[4:-4] + struct.pack("!HH", rrtype, 1)
    wire = header(ns=bool(authority)) + question + authority
    if not tcp:
        answer = exchange(server, wire)
    else:
        with socket.create_connection((server.host, server.port), timeout=5) as stream, stream.makefile("rb") as reader:
            stream.sendall(struct.pack("!H", len(wire)) + wire)
            answer = reader.read(*struct.unpack("!H", reader.read(2)))

    assert rcode_of(answer) == REFUSED
    assert not answer[2] & 0x04
    assert answer[6:12] == bytes(6)
