"""How long answers get, and how short their names (G193, G194)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import dns.flags
import dns.message
import dns.rdatatype
import dnslib
import pytest

from tests.packets import QUESTION, exchange, header, opt_record, serving_packets
from tests.serving import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all packets of this module."""
    with serving_packets(tmp_path_factory.mktemp("wire")) as running:
        yield running


# -- sizes


def test_G193_an_answer_over_512_octets_is_truncated_without_edns(server: Server) -> None:
    """TC and no record at all: an RRset is whole or not there."""
    answer = exchange(server, header() + b"\x04many" + QUESTION[4:])

    assert answer[2] & 0x02
    assert answer[6:12] == bytes(6)
    assert len(answer) == 12 + len(QUESTION) + 1


def test_G193_512_octets_are_the_limit_without_edns_alone(server: Server) -> None:
    """Thirty A are 516 octets with the header and this question: too long for 512, and whole for who offers 600."""
    answer = server.ask("thirty.example.com", edns=False)
    assert answer.flags & dns.flags.TC
    assert answer.answer == []

    with_edns = server.ask("thirty.example.com", payload=600)
    assert not with_edns.flags & dns.flags.TC
    assert len(with_edns.answer[0]) == 30


@pytest.mark.parametrize(
    ("payload", "is_whole"),
    [(0, False), (100, False), (512, False), (526, False), (527, True), (528, True), (65535, True)],
)
def test_G193_the_clients_size_counts_from_512_up(server: Server, payload: int, is_whole: bool) -> None:
    """516 octets and an OPT of 11: 527 it has to be; less than 512 counts as 512 (RFC 6891 section 6.2.3)."""
    answer = exchange(server, header(ar=1) + b"\x06thirty" + QUESTION[4:] + opt_record(payload=payload))

    assert (answer[2] & 0x02 == 0) is is_whole
    assert answer[6:8] == (b"\x00\x1e" if is_whole else b"\x00\x00")
    assert len(answer) <= max(payload, 512)


@pytest.mark.parametrize("payload", [1232, 4096, 65535])
def test_G193_no_answer_by_udp_is_longer_than_1232_octets(server: Server, payload: int) -> None:
    """However much the client offers; the OPT is there all the same."""
    answer = server.ask("many.example.com", payload=payload)

    assert answer.flags & dns.flags.TC
    assert answer.answer == []
    assert answer.edns == 0


def test_G193_what_fits_of_several_rrsets_stays_whole(server: Server) -> None:
    """Of two types one fits: it is there with all its records, and TC tells of the other."""
    small = server.ask("mixed.example.com", "ANY", payload=600)
    assert small.flags & dns.flags.TC
    assert [rrset.rdtype for rrset in small.answer] == [dns.rdatatype.TXT]

    large = server.ask("mixed.example.com", "ANY", payload=1232)
    assert not large.flags & dns.flags.TC
    assert {rrset.rdtype: len(rrset) for rrset in large.answer} == {dns.rdatatype.A: 60, dns.rdatatype.TXT: 1}


def test_G193_tcp_gets_the_whole_answer(server: Server) -> None:
    """200 records, no TC, with EDNS and without."""
    for edns in (True, False):
        answer = server.ask("many.example.com", tcp=True, edns=edns)

        assert not answer.flags & dns.flags.TC
        assert len(answer.answer[0]) == 200


def test_G193_a_label_of_5000_hosts_is_truncated_by_udp(server: Server) -> None:
    """TC, and no record."""
    answer = server.ask("flood.example.com")

    assert answer.flags & dns.flags.TC
    assert answer.answer == []


@pytest.mark.parametrize("edns", [True, False])
def test_G193_a_label_of_5000_hosts_fills_a_tcp_message(server: Server, edns: bool) -> None:
    """As many records of 16 octets as 65,535 have room for, all different; no longer answer exists, so no TC."""
    wire = dns.message.make_query("flood.example.com", "A", use_edns=0 if edns else -1).to_wire()
    with socket.create_connection((server.host, server.port), timeout=5) as stream, stream.makefile("rb") as reader:
        stream.sendall(struct.pack("!H", len(wire)) + wire)
        (length,) = struct.unpack("!H", reader.read(2))
        answer = dns.message.from_wire(reader.read(length))

    head = 12 + len(b"\x05flood\x07example\x03com\x00\x00\x01\x00\x01") + 11 * edns
    assert len(answer.answer[0]) == (65535 - head) // 16
    assert not answer.flags & dns.flags.TC


# -- compression

COMPRESSED = [
    ("example.com", "ANY"),
    ("example.com", "NS"),
    ("www.delegated.example.com", "A"),
    ("nope.example.com", "A"),
]


@pytest.mark.parametrize(("name", "rrtype"), [*COMPRESSED, ("chain.example.com", "A"), ("mail.example.com", "SRV")])
def test_G194_compressed_names_are_read_by_dnspython_and_dnslib(server: Server, name: str, rrtype: str) -> None:
    """Both see the same records in all sections; names in the rdata included."""
    wire = exchange(server, dns.message.make_query(name, rrtype).to_wire())
    ours = dns.message.from_wire(wire, one_rr_per_rrset=True)
    theirs = dnslib.DNSRecord.parse(wire)

    for section, records in ((ours.answer, theirs.rr), (ours.authority, theirs.auth), (ours.additional, theirs.ar)):
        assert [_by_dnspython(rrset) for rrset in section] == [_by_dnslib(record) for record in records]
    assert ours.answer or ours.authority


def _by_dnspython(rrset: Any) -> tuple[str, int, int, str]:
    return rrset.name.to_text(), int(rrset.rdtype), rrset.ttl, rrset[0].to_text()


def _by_dnslib(record: Any) -> tuple[str, int, int, str]:
    return str(record.rname), record.rtype, record.ttl, str(record.rdata)


@pytest.mark.parametrize(("name", "rrtype"), COMPRESSED)
def test_G194_an_answer_is_as_short_as_dnspython_makes_it(server: Server, name: str, rrtype: str) -> None:
    """Every owner and every name in rdata that may be compressed is (RFC 1035 section 4.1.4, RFC 3597 section 4)."""
    wire = exchange(server, dns.message.make_query(name, rrtype).to_wire())

    assert len(wire) <= len(dns.message.from_wire(wire).to_wire())


def test_G194_names_of_later_types_are_not_compressed(server: Server) -> None:
    """The target of an SRV stands written out (RFC 2782), though the owner has it all."""
    assert (
        b"\x04mail\x07example\x03com\x00"
        in exchange(server, dns.message.make_query("mail.example.com", "SRV").to_wire())[12 + 22 :]
    )
