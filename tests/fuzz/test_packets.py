"""Whatever a packet holds: octets or silence, never an exception; and every answer is one that others can read.

Derandomised: the same packets in every run, so that a red build is a fault and not bad luck.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from greendns import geoip
from greendns.answer import servfail
from greendns.outcome import Peer
from tests.checks.rows import edns
from tests.fuzz.invariants import Service, check, load_service, read
from tests.fuzz.packetmaking import PACKETS, PEERS, queries

bounded = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=400,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def service(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The zones of all packets here."""
    return load_service(tmp_path_factory.mktemp("fuzz"), world)


@bounded
@given(wire=PACKETS, peer=PEERS)
@example(wire=bytes(12), peer=Peer(bytes(4), 0, False))
@example(wire=b"\x00\x00\x01\x00\x00\x01" + bytes(6) + b"\xc0\x0c\x00\x01\x00\x01", peer=Peer(bytes(4), 0, False))
@example(wire=edns((8, bytes(4)), text="geo", qtype="TXT"), peer=Peer(bytes(4), 0, False))
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
