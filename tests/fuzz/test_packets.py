"""Whatever a packet holds: octets or silence, never an exception; and every answer is one that others can read.

Derandomised: the same packets in every run, so that a red build is a fault and not bad luck.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dnslib
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from greendns import geoip
from greendns.answer import answer, servfail
from greendns.geography import Geo
from greendns.loader import load
from greendns.outcome import Peer
from greendns.settings import Config, GeoipSettings, ZonesSettings
from greendns.snapshot import ServerOptions, Snapshot, State
from tests.fuzz.packetmaking import PACKETS, PEERS, ZONES, queries
from tests.serving import write_zones

UDP_LIMIT = 1232
NOW = 1_700_000_000.0

bounded = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=400,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Service:
    """What answers: once with databases, once without any."""

    snapshots: tuple[Snapshot, Snapshot]
    state: State


@pytest.fixture(scope="module")
def service(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The zones above, loaded as the server loads them."""
    directory = tmp_path_factory.mktemp("fuzz")
    write_zones(directory, ZONES)
    options = ServerOptions("fuzz", "192.0.2.53", "host", "1", NOW - 60, udp_payload_octets=UDP_LIMIT)
    config = Config(zones=ZonesSettings(directory=directory), geoip=GeoipSettings(directory=world))
    generation = load(config, options)
    assert generation.errors() == ()
    placed = generation.snapshot
    assert len(placed.zones) == len(ZONES) + 1
    return Service((placed, Snapshot(placed.zones, Geo(), options)), State(health={}))


def limit_of(wire: bytes, peer: Peer) -> int:
    """How long an answer may be, read from the packet as simply as possible: its OPT if it is the last record."""
    if peer.is_tcp:
        return 65535
    try:
        payload = read(wire).payload
    except Exception:
        return UDP_LIMIT
    return min(max(payload, 512), UDP_LIMIT)


def check(wire: bytes, peer: Peer, service: Service, seed: int = 1) -> bytes | None:
    """Answer one packet from every snapshot, and look at what comes back; gives the first answer."""
    answered = [
        answer(wire, peer, NOW, snapshot, service.state, random.Random(seed).randrange)[0]
        for snapshot in service.snapshots
    ]
    for one in answered:
        if one is None:
            assert len(wire) < 12 or wire[2] & 0x80
        else:
            check_answer(wire, one, limit_of(wire, peer))
    return answered[0]


def read(answered: bytes) -> dns.message.Message:
    """dnspython's reading. Of UPDATE it expects more than a question that comes back, so the opcode is left out."""
    return dns.message.from_wire(answered[:2] + bytes((answered[2] & 0x87,)) + answered[3:])


def check_answer(wire: bytes, answered: bytes, limit: int) -> None:
    """It is a response to this very packet, short enough, and two other implementations read it."""
    assert answered[:2] == wire[:2]
    assert answered[2] & 0x80
    assert answered[2] & 0x78 == wire[2] & 0x78
    assert len(answered) <= limit
    theirs = read(answered)
    if theirs.question:
        question_octets = len(theirs.question[0].name.to_wire() or b"") + 4
        assert answered[12 : 12 + question_octets] == wire[12 : 12 + question_octets]
    check_with_dnslib(answered, sum([len(rrset) or 1 for rrset in theirs.answer]))
    if theirs.edns < 0:
        assert not theirs.options


def check_with_dnslib(answered: bytes, records: int) -> None:
    """dnslib reads as many records; of names it reads only those that are UTF-8."""
    try:
        parsed = dnslib.DNSRecord.parse(answered)
    except dnslib.DNSError as error:
        if "Invalid label" in str(error):
            return
        raise
    assert len(parsed.rr) == records


@bounded
@given(wire=PACKETS, peer=PEERS)
@example(wire=bytes(12), peer=Peer(bytes(4), 0, False))
@example(wire=b"\x00\x00\x01\x00\x00\x01" + bytes(6) + b"\xc0\x0c\x00\x01\x00\x01", peer=Peer(bytes(4), 0, False))
@example(wire=b"\xff" * 65535, peer=Peer(bytes(4), 0, True))
@example(wire=bytes(65535), peer=Peer(bytes(4), 0, True))
def test_any_octets_are_answered_or_dropped(service: Service, wire: bytes, peer: Peer) -> None:
    """An answer that can be read, or silence."""
    check(wire, peer, service)


@bounded
@given(wire=queries(), peer=PEERS, seed=st.integers(0, 99))
def test_every_query_that_is_one_is_answered(service: Service, wire: bytes, peer: Peer, seed: int) -> None:
    """With its question, which came in a form that can be read."""
    answered = check(wire, peer, service, seed)

    assert answered is not None
    theirs, asked = read(answered), read(wire)
    assert theirs.question == asked.question
    assert (theirs.edns >= 0) == (asked.edns >= 0)
    assert theirs.flags & 0x0110 == asked.flags & 0x0110


@bounded
@given(wire=queries() | PACKETS)
def test_a_failure_of_ours_is_told_in_an_answer_that_can_be_read(wire: bytes) -> None:
    """SERVFAIL for every packet that would have been answered."""
    answered = servfail(wire)

    if answered is None:
        assert len(wire) < 12 or wire[2] & 0x80
    else:
        assert answered[:2] == wire[:2]
        assert read(answered).rcode() == 2


@bounded
@given(wire=queries(), peer=PEERS, seed=st.integers(0, 99))
def test_the_same_draws_give_the_same_answer(service: Service, wire: bytes, peer: Peer, seed: int) -> None:
    """Chance and time come in as arguments; nothing else tells one answer from the next."""
    assert check(wire, peer, service, seed) == check(wire, peer, service, seed)


def test_the_databases_are_in_use(service: Service, world: Path) -> None:
    """The first of the two snapshots knows places, the second none."""
    with_places, without = service.snapshots

    assert with_places.geo.city is not None
    assert with_places.coordinates
    assert (without.geo.city, without.geo.country, without.geo.asn) == (None, None, None)
    assert geoip.find_files(world)
