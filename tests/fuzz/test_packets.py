"""Whatever a packet holds: octets or silence, never an exception; and every answer is one that others can read.

Derandomised: the same packets in every run, so that a red build is a fault and not bad luck.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
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

LARGE = {"a": [[f"198.51.100.{host}", host] for host in range(1, 200)], "max_hosts": 300}
EVERY_TYPE = {
    "a": [["192.0.2.1", 10], ["192.0.2.2", 0]],
    "aaaa": [["2001:db8::1"]],
    "mx": [{"mx": "mail.example.com", "preference": 10}],
    "txt": ["one", ["two", "strings"], "x" * 700],
    "spf": "v=spf1 -all",
    "srv": [{"target": "sip", "port": 5060}],
    "ptr": [["host.example.com."]],
    "caa": '0 issue "ca.example.net"',
    "https": "1 . alpn=h2 port=8443",
    "svcb": "0 svc.example.net.",
    "tlsa": "3 1 1 " + "ab" * 32,
    "naptr": '1 2 "u" "" "" .',
    "sshfp": "4 2 " + "cd" * 32,
    "ds": "1 8 2 " + "ef" * 32,
    "loc": "1 N 2 E 3m",
    "type65280": "\\# 2 abcd",
    "health": {"type": "tcp"},
}
ZONES: dict[str, dict[str, Any]] = {
    "example.com": {
        "targeting": "@ continent country regiongroup region asn ip",
        "max_hosts": 3,
        "data": {
            "": {"ns": ["ns1.example.com.", "ns2.example.net."], "mx": [{"mx": "."}], "caa": '0 issue ";"'},
            "ns1": {"a": [["192.0.2.53"]], "aaaa": [["2001:db8::53"]]},
            "all": EVERY_TYPE,
            "large": LARGE,
            "large.europe": LARGE,
            "www": {"a": [["192.0.2.1"]], "ttl": {"a": 5}},
            "www.us": {"a": [["192.0.2.2"]]},
            "www.[192.0.2.0]": {"cname": "large"},
            "near": {"a": [["192.0.2.1"], ["203.0.113.1"], ["198.51.100.1"], ["198.19.0.1"]], "closest": True},
            "only.dk": {"txt": "denmark", "alias": "www"},
            "*": {"a": [["192.0.2.99"]]},
            "*.us": {"cname": "chain1"},
            "none": {"max_hosts": 0, "a": [["192.0.2.1"]]},
            **{f"chain{number}": {"cname": f"chain{number + 1}"} for number in range(12)},
            "loop1": {"cname": "loop2"},
            "loop2": {"cname": "LOOP1"},
            "alias1": {"alias": "alias2"},
            "alias2": {"alias": "alias1", "txt": "here"},
            "apex": {"alias": ""},
            "lost": {"alias": "nowhere"},
            "cut": {
                "ns": ["ns.cut.example.com.", "ns1.example.com.", "ns.elsewhere.example."],
                "ds": "1 8 2 " + "ab" * 32,
            },
            "ns.cut": LARGE,
            "out": {"cname": "www.example.net."},
            "to": {"cname": "www.sub.example.com."},
            r"\000\255\.": {"txt": r"\000\255"},
        },
    },
    "sub.example.com": {
        "targeting": "country",
        "data": {"www": {"a": [["192.0.2.3"]]}, "www.dk": {"a": [["192.0.2.4"]]}},
    },
    "example.net": {"data": {"www": {"cname": "to.example.com."}}},
    "2.0.192.in-addr.arpa": {"data": {"1": {"ptr": [["all.example.com"]]}}},
}
DATA = {text: zone["data"] for text, zone in ZONES.items()}

# Of names that are there, and of names that are nowhere.
LABELS = [
    *[label for data in DATA.values() for key in data for label in key.split(".") if label],
    "_status", "_country", "_health", "WWW", "Large", "nothing", "version", "bind", "id", "server",
]  # fmt: skip
ORIGINS = [*ZONES, "pgeodns", "example.org", "com", ""]
NAMES = st.builds(
    lambda labels, origin: ".".join([*labels, *([origin] if origin else [])]) + ".",
    st.lists(st.sampled_from(sorted(set(LABELS))), max_size=3),
    st.sampled_from(ORIGINS),
)
RRTYPES = st.sampled_from(
    [1, 2, 5, 6, 12, 15, 16, 28, 29, 33, 35, 43, 44, 46, 52, 64, 65, 99, 251, 252, 255, 257, 65280]
)
SUBNETS = st.builds(
    lambda address, bits: dns.edns.ECSOption(address, bits),
    st.sampled_from("192.0.2.0 198.51.100.0 203.0.113.0 10.0.0.0 0.0.0.0 2001:db8:1:: 2001:db8:2:: ::1".split()),
    st.integers(0, 32),
)
COOKIES = st.builds(
    dns.edns.CookieOption, st.binary(min_size=8, max_size=8), st.just(b"") | st.binary(min_size=8, max_size=32)
)
OTHERS = st.builds(dns.edns.GenericOption, st.sampled_from([3, 11, 12, 65001]), st.binary(max_size=9))


@st.composite
def queries(draw: st.DrawFn) -> bytes:
    """Queries that somebody could mean, for names that are there and names that are not."""
    settings: dict[str, object] = {}
    if draw(st.booleans()):
        options = draw(st.lists(SUBNETS | COOKIES | OTHERS, max_size=3))
        settings = {"use_edns": draw(st.sampled_from([0, 0, 0, 1])), "options": options}
        settings["payload"] = draw(st.sampled_from([0, 511, 512, 800, 1232, 4096, 65535]))
        settings["want_dnssec"] = draw(st.booleans())
    message = dns.message.make_query(
        draw(NAMES),
        dns.rdatatype.RdataType.make(draw(RRTYPES)),
        dns.rdataclass.RdataClass.make(draw(st.sampled_from([1, 1, 1, 1, 1, 3, 4, 255]))),
        id=draw(st.integers(0, 65535)),
        **settings,  # type: ignore[arg-type]
    )
    message.flags = dns.flags.Flag(draw(st.sampled_from([0, 0x0100, 0x0110, 0x7F, 0x2000, 0x2800, 0x0200])))
    return message.to_wire()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Queries with a few octets changed, taken out or put in, or cut."""
    wire = bytearray(draw(queries()))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(wire)))
        wire[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(wire[: draw(st.integers(0, len(wire)))] if draw(st.integers(0, 9)) == 0 else wire)


@st.composite
def headed(draw: st.DrawFn) -> bytes:
    """A header of a query with any counts, and any octets behind it."""
    counts = [draw(st.sampled_from([0, 0, 1, 1, 2, 255, 65535])) for _ in range(4)]
    return struct.pack("!HHHHHH", draw(st.integers(0, 65535)), draw(st.integers(0, 0x7FFF)), *counts) + draw(
        st.binary(max_size=120)
    )


PACKETS = st.binary(max_size=80) | headed() | damaged()
PEERS = st.builds(
    Peer,
    st.sampled_from([b"\x7f\x00\x00\x01", b"\xc0\x00\x02\x01", b"\xcb\x00\x71\x01", bytes(15) + b"\x01"]),
    st.integers(0, 65535),
    st.booleans(),
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
