"""What is wrong with a packet, in the order in which it is judged (G192)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from tests.packets import (
    A_RECORD,
    CLIENT_COOKIE,
    FORM_ERROR,
    NO_ERROR,
    NOT_IMPLEMENTED,
    QUESTION,
    REFUSED,
    SOA_RECORD,
    TSIG_RECORD,
    exchange,
    header,
    opt_record,
    option,
    rcode_of,
    read_options,
    serving_packets,
)
from tests.serving import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all packets of this module."""
    with serving_packets(tmp_path_factory.mktemp("wire")) as running:
        yield running


@pytest.mark.parametrize("length", range(12))
def test_G192_what_is_shorter_than_a_header_is_dropped(server: Server, length: int) -> None:
    """From nothing at all to eleven octets."""
    assert exchange(server, header()[:length]) == b""


@pytest.mark.parametrize("opcode", range(16))
def test_G192_a_response_is_dropped(server: Server, opcode: int) -> None:
    """With QR set nothing is answered, whatever the opcode: an answer could start a loop."""
    assert exchange(server, header(0x8000 | opcode << 11) + QUESTION) == b""
    assert exchange(server, header(0x8000 | opcode << 11, 9, 9, 9, 9)) == b""


ODD_COUNTS = [(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0), (2, 0, 0, 0), (1, 1, 5, 2), (65535, 65535, 65535, 65535)]


@pytest.mark.parametrize("opcode", range(1, 16))
@pytest.mark.parametrize("counts", ODD_COUNTS, ids=str)
def test_G192_other_opcodes_are_not_implemented(server: Server, opcode: int, counts: tuple[int, int, int, int]) -> None:
    """Before any count is looked at; NOTIFY and UPDATE may be refused as well. The opcode comes back, without AA."""
    answer = exchange(server, header(opcode << 11, *counts) + QUESTION)
    told = (NOT_IMPLEMENTED, REFUSED) if opcode in (dns.opcode.NOTIFY, dns.opcode.UPDATE) else (NOT_IMPLEMENTED,)

    assert rcode_of(answer) in told
    assert answer[2] == 0x80 | opcode << 3
    assert answer[6:12] == bytes(6)


@pytest.mark.parametrize("body", [b"", b"\x00", b"\xff" * 40, b"\x3f" * 300], ids=["nothing", "root", "ff", "labels"])
def test_G192_other_opcodes_are_not_implemented_whatever_follows(server: Server, body: bytes) -> None:
    """A question that can't be read changes nothing."""
    answer = exchange(server, header(dns.opcode.STATUS << 11) + body)

    assert rcode_of(answer) == NOT_IMPLEMENTED
    dns.message.from_wire(answer)


@pytest.mark.parametrize("count", [2, 3, 255, 256, 65535])
def test_G192_more_than_one_question_is_an_error(server: Server, count: int) -> None:
    """FORMERR (RFC 9619), whether they are there or not."""
    assert rcode_of(exchange(server, header(qd=count) + QUESTION)) == FORM_ERROR
    assert rcode_of(exchange(server, header(qd=count) + QUESTION * 2)) == FORM_ERROR


def test_G192_no_question_is_an_error(server: Server) -> None:
    """FORMERR, with EDNS too, and with a question that is not counted."""
    for wire in (header(qd=0), header(qd=0, ar=1) + opt_record(), header(qd=0) + QUESTION):
        assert rcode_of(exchange(server, wire)) == FORM_ERROR


def test_G192_no_question_with_a_cookie_is_answered_with_a_cookie(server: Server) -> None:
    """RFC 7873 section 5.4: nothing but the OPT comes back; nobody is authoritative for nothing."""
    answer = exchange(server, header(qd=0, ar=1) + opt_record(option(10, CLIENT_COOKIE)))

    assert struct.unpack("!6H", answer[:12]) == (0x4744, dns.flags.QR, 0, 0, 0, 1)
    assert read_options(answer)[10][:8] == CLIENT_COOKIE
    assert len(read_options(answer)[10]) == 24


def name_of(octets: int) -> bytes:
    """A name in wire form of this length: labels of 49, and one that is as long as it must be."""
    labels = b"".join([b"\x31" + b"a" * 49] * ((octets - 1) // 50))
    rest = octets - 1 - len(labels)
    assert rest != 1
    return labels + (bytes((rest - 1,)) + b"b" * (rest - 1) if rest else b"") + b"\x00"


BAD_QUESTIONS = {
    "a pointer to itself": b"\xc0\x0c\x00\x01\x00\x01",
    "a pointer into the header": b"\xc0\x00\x00\x01\x00\x01",
    "a pointer behind a label": b"\x03www\xc0\x10\x00\x01\x00\x01",
    "a pointer beyond the end": b"\xff\xff\x00\x01\x00\x01",
    "a label of 64": b"\x40" + b"a" * 64 + b"\x00\x00\x01\x00\x01",
    "a label of 128": b"\x80" + b"a" * 128 + b"\x00\x00\x01\x00\x01",
    "a name of 256": name_of(256) + b"\x00\x01\x00\x01",
    "a name of 300": name_of(300) + b"\x00\x01\x00\x01",
    "nothing": b"",
    "no root": b"\x03www\x07example\x03com",
    "a label cut off": b"\x03www\x07exam",
    "no type": b"\x03www\x00",
    "half a type": b"\x03www\x00\x00",
    "no class": b"\x03www\x00\x00\x01",
    "half a class": b"\x03www\x00\x00\x01\x00",
}


@pytest.mark.parametrize("question", BAD_QUESTIONS.values(), ids=BAD_QUESTIONS.keys())
def test_G192_a_question_that_cannot_be_read_is_an_error(server: Server, question: bytes) -> None:
    """FORMERR; the answer is well-formed without it."""
    answer = exchange(server, header(dns.flags.RD) + question)

    assert rcode_of(answer) == FORM_ERROR
    assert not answer[2] & 0x04
    assert dns.message.from_wire(answer).flags & dns.flags.RD


def test_G192_a_name_of_255_octets_is_read(server: Server) -> None:
    """As long as names get: none of our zones, so it is refused; below our zone it does not exist."""
    assert rcode_of(exchange(server, header() + name_of(255) + b"\x00\x01\x00\x01")) == REFUSED
    below = name_of(243)[:-1] + b"\x07example\x03com\x00"
    assert len(below) == 255
    assert rcode_of(exchange(server, header() + below + b"\x00\x01\x00\x01")) == dns.rcode.NXDOMAIN


IXFR_QUESTION = QUESTION[:-4] + b"\x00\xfb\x00\x01"
BAD_RECORDS = {
    "an answer": header(an=1) + QUESTION + A_RECORD,
    "an answer that is not there": header(an=1) + QUESTION,
    "many answers": header(an=65535) + QUESTION,
    "an authority": header(ns=1) + QUESTION + SOA_RECORD,
    "two authorities of IXFR": header(ns=2) + IXFR_QUESTION + SOA_RECORD * 2,
    "an authority of IXFR that is not there": header(ns=1) + IXFR_QUESTION,
    "an additional": header(ar=1) + QUESTION + A_RECORD,
    "an additional beside the OPT": header(ar=2) + QUESTION + A_RECORD + opt_record(),
    "an additional behind the OPT": header(ar=2) + QUESTION + opt_record() + A_RECORD,
    "three additionals": header(ar=3) + QUESTION + opt_record() + TSIG_RECORD + A_RECORD,
    "many additionals": header(ar=65535) + QUESTION + opt_record(),
    "an OPT that is not there": header(ar=1) + QUESTION,
    "an OPT that ends early": header(ar=1) + QUESTION + opt_record()[:-1],
    "an OPT without all its options": header(ar=1) + QUESTION + opt_record(option(10, CLIENT_COOKIE))[:-1],
    "an option longer than the OPT": header(ar=1) + QUESTION + opt_record(b"\x00\x0a\x00\x09" + CLIENT_COOKIE),
    "half an option's head": header(ar=1) + QUESTION + opt_record(b"\x00\x0a\x00"),
    "two OPTs": header(ar=2) + QUESTION + opt_record() * 2,
    "an OPT with an owner": header(ar=1) + QUESTION + opt_record(owner=b"\x03www\x00"),
    "an OPT with a pointer for an owner": header(ar=1) + QUESTION + opt_record(owner=b"\xc0\x0c"),
    "two TSIGs": header(ar=2) + QUESTION + TSIG_RECORD * 2,
    "an OPT behind the TSIG": header(ar=2) + QUESTION + TSIG_RECORD + opt_record(),
    "a TSIG that ends early": header(ar=1) + QUESTION + TSIG_RECORD[:-1],
    "an octet behind the question": header() + QUESTION + b"\x00",
    "an octet behind the OPT": header(ar=1) + QUESTION + opt_record() + b"\x00",
    "an OPT that is not counted": header() + QUESTION + opt_record(),
    "a TSIG that is not counted": header(ar=1) + QUESTION + opt_record() + TSIG_RECORD,
}


@pytest.mark.parametrize("wire", BAD_RECORDS.values(), ids=BAD_RECORDS.keys())
def test_G192_anything_wrong_behind_the_question_is_an_error(server: Server, wire: bytes) -> None:
    """FORMERR without AA, the question echoed, nothing in the sections of records."""
    answer = exchange(server, wire)

    assert rcode_of(answer) == FORM_ERROR
    assert not answer[2] & 0x04
    assert answer[6:10] == bytes(4)
    assert dns.message.from_wire(answer).question[0].name.to_text() == "www.example.com."


GOOD_RECORDS = {
    "an OPT": header(ar=1) + QUESTION + opt_record(),
    "a TSIG": header(ar=1) + QUESTION + TSIG_RECORD,
    "an OPT and a TSIG": header(ar=2) + QUESTION + opt_record() + TSIG_RECORD,
    "an unknown option": header(ar=1) + QUESTION + opt_record(option(65001, b"abc")),
    "an empty unknown option": header(ar=1) + QUESTION + opt_record(option(65001, b"")),
}


@pytest.mark.parametrize("wire", GOOD_RECORDS.values(), ids=GOOD_RECORDS.keys())
def test_G192_an_opt_and_a_tsig_are_taken(server: Server, wire: bytes) -> None:
    """The question is answered."""
    answer = exchange(server, wire)

    assert rcode_of(answer) == NO_ERROR
    assert answer[6:8] == b"\x00\x01"


def test_G192_tcp_judges_alike(server: Server) -> None:
    """One message after the other: what is wrong with one does not end the connection."""
    with socket.create_connection((server.host, server.port), timeout=5) as stream, stream.makefile("rb") as reader:
        for wire, rcode in ((header(qd=2) + QUESTION, FORM_ERROR), (header() + QUESTION, NO_ERROR)):
            stream.sendall(struct.pack("!H", len(wire)) + wire)
            (length,) = struct.unpack("!H", reader.read(2))
            assert rcode_of(reader.read(length)) == rcode


def test_G192_other_opcodes_are_answered_with_an_opt_where_they_have_one(server: Server) -> None:
    """A responder that knows EDNS says so in every answer (RFC 6891 section 6.1.1)."""
    answer = exchange(server, header(dns.opcode.STATUS << 11, ar=1) + QUESTION + opt_record())
    assert rcode_of(answer) == NOT_IMPLEMENTED
    assert dns.message.from_wire(answer).edns == 0
