"""Every type, every class, every octet in a label; and crowds of names and clients, of which nothing stays."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.asking import Transport, ask, ask_stream, serving_checks, transports
from tests.checks.crowds import GROWTH_OCTETS, counting_by_label, crowd
from tests.checks.reading import Answer
from tests.checks.rows import framed, header_of, name, numbered, query
from tests.serving import Server

NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
TRANSFERS = (251, 252)
CLASSES = (0, 2, 3, 4, 254, 255, 999)
CHAOS = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all of it."""
    with serving_checks(tmp_path_factory.mktemp("everything")) as running:
        yield running


def rcodes(server: Server, wires: list[bytes]) -> list[int]:
    """The RCODE of each answer, in the order of the questions: pipelined, a thousand to a connection."""
    (stream, *_) = [way for way in transports(server) if way.is_tcp]
    return [rcode for at in range(0, len(wires), 1000) for rcode in _rcodes_over(stream, wires[at : at + 1000])]


def _rcodes_over(stream: Transport, wires: list[bytes]) -> list[int]:
    sent = b"".join([framed(numbered(id, wire)) for id, wire in enumerate(wires)])
    answers = ask_stream(stream, [sent], len(wires))
    by_id = {struct.unpack("!H", answer[:2])[0]: answer[3] & 0x0F for answer in answers}
    return [by_id[id] for id in range(len(wires))]


@pytest.mark.parametrize("owner", ["www", "nothing", "cut", "x.wild"])
def test_every_type_is_answered(server: Server, owner: str) -> None:
    """All 65,536: transfers are refused, and whether the name exists does not depend on the type."""
    told = rcodes(server, [query(owner, qtype) for qtype in range(65_536)])

    expected = NXDOMAIN if owner == "nothing" else NOERROR
    assert {qtype: rcode for qtype, rcode in enumerate(told) if rcode != expected} == dict.fromkeys(TRANSFERS, REFUSED)


def test_every_class_is_answered(server: Server) -> None:
    """All 65,536: there is a zone in class IN alone."""
    told = rcodes(server, [query("www", "A", qclass) for qclass in range(65_536)])

    assert [qclass for qclass, rcode in enumerate(told) if rcode == NOERROR] == [1]
    assert Counter(told) == {NOERROR: 1, REFUSED: 65_535}


@pytest.mark.parametrize("qclass", CLASSES)
def test_odd_classes_are_answered_over_udp_whatever_the_type(server: Server, qclass: int) -> None:
    """Each refused, with the question as it was sent."""
    way = transports(server)[0]
    for qtype in (0, 1, 41, 250, 252, 255, 65_535):
        wire = query("www", qtype, qclass)
        answer = Answer(ask(way, wire) or b"")
        assert (answer.rcode, answer.question) == (REFUSED, wire[12:])


@pytest.mark.parametrize("is_tcp", [False, True], ids=["UDP", "TCP"])
def test_every_octet_in_a_label_is_itself(server: Server, is_tcp: bool) -> None:
    """`with?dot` as one label exists with a dot there, and with no other octet; as two labels it is another name."""
    way = next(way for way in transports(server) if way.is_tcp == is_tcp)
    told = {}
    for octet in range(256):
        question = b"\x08with" + bytes((octet,)) + b"dot" + name("") + b"\x00\x10\x00\x01"
        answer = Answer(ask(way, header_of(question)) or b"")
        assert answer.question == question
        told[octet] = answer.rcode, [record.text for record in answer.section(0)]

    assert told == {**dict.fromkeys(range(256), (NXDOMAIN, [])), ord("."): (NOERROR, ['TXT "dot"'])}
    two_labels = Answer(ask(way, query("with.dot", "TXT")) or b"")
    assert [record.text for record in two_labels.section(0)] == ['TXT "two labels"']


def test_nothing_was_logged(server: Server) -> None:
    """No octet of a name gets into the log."""
    before = server.log_text()
    way = transports(server)[0]
    for octet in range(256):
        ask(way, header_of(b"\x01" + bytes((octet,)) + name("") + b"\x00\x01\x00\x01"))

    assert server.log_text() == before
    assert server.metric("greendns_failures_total") == 0


def test_a_crowd_leaves_nothing_behind(tmp_path: Path) -> None:
    """100,000 names and 10,000 clients, each once: memory has not grown by 20 MB, nor /metrics by a line."""
    with serving_checks(counting_by_label(tmp_path)) as server:
        found = crowd(server, 100_000, 10_000, seed=5)

    assert found.answered == found.asked == 110_000
    assert found.new_lines == frozenset()
    assert found.grown_octets < GROWTH_OCTETS, found.told()
