"""Both builds answer alike, octet by octet: the same outcome, the same draws, the same counters."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.databases import write_city
from tests.fuzz.packetmaking import PACKETS, queries
from tests.packets import PLACES, header, opt_record, subnet_option
from tests.serving import write_zones
from tests.twin.corpus import (
    ODD_ZONES,
    PACKETS_ZONES,
    SENDERS,
    odd_packets,
    option_packets,
    plain_packets,
    question,
    wire_name,
)
from tests.twin.pipe import Twins
from tests.twin.questions import NOW

Where = tuple[str, str]

many = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def odd(twins: Twins, world: Path, tmp_path_factory: pytest.TempPathFactory) -> Where:
    """Zones with something of everything in the made-up world, loaded by both."""
    zones = tmp_path_factory.mktemp("odd")
    write_zones(zones, ODD_ZONES)
    return loaded(twins, zones, world)


@pytest.fixture(scope="module")
def nowhere(twins: Twins, odd: Where) -> Where:
    """The same without any database."""
    return loaded(twins, Path(odd[0]), None)


@pytest.fixture(scope="module")
def packets_zone(twins: Twins, tmp_path_factory: pytest.TempPathFactory) -> Where:
    """The zone that tests of packets are about."""
    directory = tmp_path_factory.mktemp("packets")
    write_city(directory / "GeoLite2-City.mmdb", PLACES)
    write_zones(directory / "zones", PACKETS_ZONES)
    return loaded(twins, directory / "zones", directory)


def loaded(twins: Twins, zones: Path, geoip: Path | None) -> Where:
    """Load a directory in both builds, without an error."""
    where = (str(zones), str(geoip or ""))
    assert twins.ask("load", *where) == []
    return where


def compare(twins: Twins, where: Where, packets: Iterator[bytes], ask: str = "answer") -> list[dict[str, Any]]:
    """Ask both builds about packets, each from another sender; gives the answers."""
    asked = [
        (ask, where, wire, SENDERS[number % len(SENDERS)], NOW + number, number) for number, wire in enumerate(packets)
    ]
    return twins.ask_all(asked)


def kinds(answers: list[dict[str, Any]]) -> set[str]:
    return {answer["kind"] for answer in answers}


@pytest.mark.parametrize("ask", ["answer", "answer_next", "answer_unchecked", "answer_by_chance"])
def test_every_name_and_type_is_answered_alike(twins: Twins, odd: Where, ask: str) -> None:
    """From a state that is fresh or kept, with health or without, by either kind of random source."""
    answers = compare(twins, odd, plain_packets(ODD_ZONES), ask)

    assert kinds(answers) == {"refused", "chaos", "debug", "referral", "answer", "nodata", "nxdomain"}
    assert {answer["is_truncated"] for answer in answers} == {True, False}
    assert any(answer["scope"] for answer in answers)
    assert b"" in [answer["answered"] for answer in answers]


def test_names_are_answered_alike_without_databases(twins: Twins, nowhere: Where) -> None:
    """Everybody is nowhere."""
    answers = compare(twins, nowhere, plain_packets(ODD_ZONES))

    assert {answer["targets"] for answer in answers if answer["zone"] == "health.example"} == {(b"@",)}


@pytest.mark.parametrize("packets", [option_packets, odd_packets])
def test_options_and_odd_packets_are_answered_alike(
    twins: Twins, packets_zone: Where, packets: Callable[[], Iterator[bytes]]
) -> None:
    """Client subnets, cookies, NSID, every size; and what is no query at all."""
    answers = compare(twins, packets_zone, packets())

    assert "error" in kinds(answers)
    assert "answer" in kinds(answers)


def test_packets_are_read_alike(twins: Twins) -> None:
    """Every member of a query, and the answer where we failed."""
    wires = [*plain_packets(PACKETS_ZONES), *option_packets(), *odd_packets()]
    read = twins.ask_all([("parse", wire) for wire in wires])
    failed = twins.ask_all([("servfail", wire) for wire in wires])

    assert [one is None for one in read] == [one is None for one in failed]
    assert any(one is None for one in read)


@many
@given(wire=PACKETS | queries(), sender=st.sampled_from(SENDERS), seed=st.integers(0, 2**32))
def test_any_octets_are_answered_alike(twins: Twins, odd: Where, wire: bytes, sender: Any, seed: int) -> None:
    """Random octets, queries, and queries with some octets changed."""
    first, second = twins.ask_all(
        [("answer", odd, wire, sender, NOW, seed), ("answer_by_chance", odd, wire, sender, NOW, seed)]
    )

    assert first["kind"] == second["kind"]
    twins.ask_all([("parse", wire), ("servfail", wire)])


@pytest.mark.parametrize("fails", [False, True])
def test_a_packet_is_answered_as_if_it_were_alone(twins: Twins, odd: Where, fails: bool) -> None:
    """Whatever was answered before it by the same responder, and where that failed on the way."""
    wires = [*plain_packets(ODD_ZONES), *option_packets(), *odd_packets()]
    random.Random(1).shuffle(wires)
    packets = [(wire, SENDERS[number % len(SENDERS)]) for number, wire in enumerate(wires)]

    alone = twins.ask("answer_each", odd, packets, fails)
    one_by_one = twins.ask("respond_each", odd, packets, fails)

    assert [number for number, pair in enumerate(zip(alone, one_by_one, strict=True)) if pair[0] != pair[1]] == []


# -- connections


def framed(wires: list[bytes]) -> bytes:
    """Messages as a connection carries them."""
    return b"".join([struct.pack("!H", len(wire)) + wire for wire in wires])


def test_a_connection_is_answered_alike(twins: Twins, odd: Where) -> None:
    """Cut at every octet, with a message of no octets, with one that gets no answer, with more than a turn takes."""
    some = [header() + question(wire_name(f"{text}.example.com"), 255) for text in ("www", "large", "to", "_country")]
    whole = framed(some)
    octets = [whole[:end] for end in range(len(whole) + 1)]
    octets += [framed([some[0], b"", some[1]]), framed([some[0], bytes(3), some[1]]), framed(some * 40)]
    octets += [framed([bytes(65535)]), framed([some[0], b"\xff" * 65535]), b"\xff\xff" + bytes(65534)]
    asked = [("respond_all", odd, each, SENDERS[2], NOW, detailed) for each in octets for detailed in (False, True)]

    answers = twins.ask_all(asked)

    assert {answer["goes_on"] for answer in answers} == {True, False}
    assert {"answer", "debug", "dropped", "error"} == {
        kind for answer in answers for (_, kind), _ in answer["outcomes"]
    }


@many
@given(
    wires=st.lists(queries() | st.binary(max_size=20), max_size=8),
    cut=st.integers(0, 60),
    sender=st.sampled_from(SENDERS),
)
def test_any_connection_is_answered_alike(twins: Twins, odd: Where, wires: list[bytes], cut: int, sender: Any) -> None:
    """Whatever stands between the lengths."""
    octets = framed(wires)

    answer = twins.ask("respond_all", odd, octets[: max(0, len(octets) - cut)], sender, NOW, True)

    assert answer["taken"] <= len(octets)


# -- zones that hypothesis makes up

WORDS = st.sampled_from(
    ["www", "a", "b.a", "*", "*.a", "dk", "www.dk", "a.europe", "www.us-ca", "a.as64500", "_x", "ns"]
)
WEIGHTS = st.sampled_from([0, 0, 1, 1, 2, 10, 2**31 - 1])
ADDRESSES = st.builds(lambda n, weight: [f"192.0.2.{n}", weight], st.integers(0, 255), WEIGHTS)
TARGETS = st.sampled_from(
    ["www", "a", "nope", "www.example.com.", "a.example.net.", "example.net.", "elsewhere.example."]
)
SETS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.lists(ADDRESSES, min_size=1, max_size=90),
        "aaaa": st.lists(st.builds(lambda n: [f"2001:db8::{n:x}"], st.integers(1, 65535)), min_size=1, max_size=5),
        "txt": st.text("ab", min_size=1, max_size=700),
        "mx": st.builds(lambda name: {"mx": name, "preference": 5}, TARGETS),
        "max_hosts": st.integers(0, 100),
        "closest": st.booleans(),
        "ttl": st.integers(0, 100),
    },
)
LABELS = (
    SETS
    | st.builds(lambda name: {"cname": name}, TARGETS)
    | st.builds(lambda name: {"alias": name}, st.sampled_from(["www", "a", "b.a", ""]))
    | st.builds(lambda name: {"ns": [name]}, TARGETS)
)
LEVELS = "@ continent country regiongroup region asn ip".split()
ZONE = st.fixed_dictionaries(
    {"data": st.dictionaries(WORDS, LABELS, max_size=7)},
    optional={
        "targeting": st.lists(st.sampled_from(LEVELS), unique=True).map(" ".join),
        "max_hosts": st.integers(0, 9),
        "closest": st.booleans(),
    },
)
ASKED = [
    header(ar=1) + question(wire_name(f"{label}{origin}"), qtype) + opt_record(subnet_option(1, 24, subnet))
    for origin in ("example.com", "example.net")
    for label in ("", "www.", "a.", "b.a.", "x.a.", "ns.", "dk.", "_x.")
    for qtype in (1, 2, 5, 16, 255)
    for subnet in (bytes((192, 0, 2)), bytes((203, 0, 113)))
]
_numbers = count()


@settings(many, max_examples=60)
@given(zones=st.fixed_dictionaries({"example.com": ZONE}, optional={"example.net": ZONE, "a.example.com": ZONE}))
def test_any_zones_are_served_alike(twins: Twins, world: Path, tmp_path: Path, zones: dict[str, Any]) -> None:
    """Small zones at random; those that are refused are refused alike."""
    directory = tmp_path / str(next(_numbers))
    write_zones(directory, zones)
    where = (str(directory), str(world))

    twins.ask("load", *where)

    assert len(compare(twins, where, iter(ASKED))) == len(ASKED)
