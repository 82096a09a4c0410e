"""Whatever JSON a zone file holds: a zone that can be built and asked, or a ConfigError that tells why not.

Derandomised, like the packets.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dns.message
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from greendns import name
from greendns.answer import answer
from greendns.errors import ConfigError, Problem
from greendns.jsontext import parse_json, parse_json_lazily
from greendns.outcome import Peer
from greendns.packing import Packing
from greendns.snapshot import Snapshot, State
from greendns.zone import Zone
from greendns.zonebuild import build_zone, read_zone
from greendns.zonedb import ZoneDB
from greendns.zonefile import ZoneReader, parse_zone, read_document
from tests.zonereading import names_of

bounded = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow],
)

TARGETINGS = ["@", "country", "@ country continent", "@ continent country regiongroup region asn ip", "", "@  ip", "no"]
TYPE_KEYS = (
    "a aaaa alias cname mx ns txt spf srv ptr caa https svcb tlsa naptr sshfp ds loc type65280 type1 type0 TYPE1 A"
).split()
LABEL_TEXTS = st.sampled_from(
    [
        *"www WWW www.us us * *.us a.b.c.europe as1 x.as4294967296 a..b .".split(),
        *"www.[192.0.2.0] [192.0.2.0] [] [::] www.[2001:db8::] www.[fe80::1%1]".split(),
        *["", r"a\.b", r"a\.us", "\\", "\udc80", "é", "x" * 64],
    ]
)
TEXTS = st.sampled_from(
    [
        *"www www. 192.0.2.1 2001:db8::1 ::ffff:192.0.2.1 10x 5 -1 99999 ns1.example.com. us file/key @ .".split(),
        *["", "x" * 300, r"\200\.", "\\", "\udcff"],
        *[
            "0 issue x",
            '0 issue "x"',
            "1 . alpn=h2",
            "0 .",
            "3 1 1 ab",
            "1 2 3 4",
            '1 2 "" "" "" .',
            "4 2 " + "ab" * 32,
        ],
        *["1 N 1 E 1m", r"\# 4 c0000201", r"\# 0", r"\# 1 zz"],
    ]
)
NUMBERS = st.sampled_from([0, 1, -1, 2, 300, 65535, 65536, 2**31, 2**32, 10**400, 1.5, -0.5, 1e300])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS | st.text(max_size=5)
RECORD_KEYS = st.sampled_from(
    "a aaaa ip ptr cname mx ns txt spf value weight health preference target port priority srv_weight".split()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(RECORD_KEYS | TEXTS, inner, max_size=4),
    max_leaves=8,
)
LABELS = st.dictionaries(
    st.sampled_from([*TYPE_KEYS, "ttl", "max_hosts", "closest", "health", "other"]), VALUES, max_size=4
)
SENSIBLE = st.fixed_dictionaries(
    {},
    optional={
        "a": st.lists(
            st.sampled_from([["192.0.2.1", 1], ["192.0.2.2"], {"ip": "192.0.2.3", "weight": "7"}]), max_size=3
        ),
        "alias": st.sampled_from(["www", "", "us", "nowhere"]),
        "cname": st.sampled_from(["www", "us", "elsewhere.example.net."]),
        "ns": st.sampled_from(["ns.www", {"ns1.example.com.": None}, ["ns2.example.net"]]),
        "txt": st.sampled_from(["text", ["a", ["b", "c"]], [{"txt": "d", "weight": 3}]]),
        "max_hosts": st.integers(0, 5),
        "closest": st.booleans(),
        "ttl": st.sampled_from([0, 60, {"a": 30, "ns": 0}]),
    },
)
DATA = st.dictionaries(LABEL_TEXTS, SENSIBLE | LABELS | SCALARS, max_size=6)
SENSIBLE_DATA = st.dictionaries(
    st.sampled_from(["", "www", "us", "www.us", "*", "*.us", "a.b.c.europe", "www.[192.0.2.0]", "[]", "x.as0"]),
    SENSIBLE,
    max_size=8,
)
ZONES = st.fixed_dictionaries(
    {},
    optional={
        "ttl": SCALARS | st.integers(0, 9),
        "serial": SCALARS | st.integers(0, 9),
        "max_hosts": SCALARS | st.integers(0, 9),
        "contact": SCALARS,
        "targeting": st.sampled_from(TARGETINGS) | SCALARS,
        "closest": SCALARS,
        "logging": VALUES,
        "data": DATA | SCALARS,
        "comment": SCALARS,
    },
)
SENSIBLE_ZONES = st.fixed_dictionaries(
    {"data": SENSIBLE_DATA, "targeting": st.sampled_from(TARGETINGS[:4])}, optional={"ttl": st.integers(0, 9)}
)
DOCUMENTS = SENSIBLE_ZONES | ZONES | VALUES

QNAMES = ["", "www", "us", "www.us", "nothing.here", "c", "b.c", "a.b.c", "_status", "*"]
FILE = "example.com.json"
PEER = Peer(b"\xc0\x00\x02\x01", 53, False)


def check_problems(error: ConfigError) -> None:
    """There is one, each says of which file it is and what was expected, and a log can write it."""
    assert error.problems
    assert all(problem.file == FILE and problem.expected for problem in error.problems)
    assert str(error).encode()


def load_and_ask(document: object) -> bool:
    """Whether a document loads; if it does, every question about it has an answer."""
    try:
        source, warnings = parse_zone(json.dumps(document).encode(), "example.com", FILE, 1_600_000_000)
    except ConfigError as error:
        check_problems(error)
        return False
    zone, problems = build_zone(source)
    "\n".join([str(problem) for problem in [*warnings, *problems]]).encode()
    ask_everything(Snapshot(ZoneDB([zone])))
    return True


def ask_everything(snapshot: Snapshot) -> None:
    """Ask for each type of each of a few names."""
    for qname in QNAMES:
        question = name.from_text(f"{qname}.example.com." if qname else "example.com.")
        for rrtype in (1, 2, 16, 43, 255):
            wire = b"\x00\x07\x00\x00\x00\x01" + bytes(6) + question + rrtype.to_bytes(2, "big") + b"\x00\x01"
            answered, outcome = answer(wire, PEER, 1.7e9, snapshot, State({}), random.Random(1).randrange)
            assert answered is not None
            assert outcome.zone is not None
            assert len(answered) <= 512
            assert dns.message.from_wire(answered).rcode() in (0, 3)


@bounded
@given(DOCUMENTS)
@example({"data": {"www.[]": {"a": [["192.0.2.1"]]}}, "targeting": "@ ip"})
@example({"data": {"": {"alias": "www"}, "www": {"alias": ""}}})
@example({"contact": "\udc80"})
def test_any_document_is_a_zone_or_an_error(document: Any) -> None:
    """Never another exception: one file must not keep the others from loading."""
    load_and_ask(document)


@bounded
@given(SENSIBLE_ZONES)
def test_sensible_documents_load(document: Any) -> None:
    """Otherwise the test above would try nothing but errors."""
    assert load_and_ask(document)


@bounded
@given(st.binary(max_size=60) | DOCUMENTS.map(json.dumps).map(str.encode), st.data())
def test_any_file_is_a_zone_or_an_error(octets: bytes, data: st.DataObject) -> None:
    """Also one with an octet that is wrong, or cut in the middle."""
    at = data.draw(st.integers(0, len(octets)))
    damaged = octets[:at] + data.draw(st.binary(max_size=2)) + octets[at + data.draw(st.integers(0, 2)) :]
    for each in (octets, damaged, octets[:at]):
        try:
            source, _ = parse_zone(each, "example.com", FILE, 0)
        except ConfigError as error:
            check_problems(error)
        else:
            assert build_zone(source)[0].origin == name.from_text("example.com.")


def told(read: Callable[[], tuple[Zone, list[Problem]]]) -> object:
    """What there is to tell of a document, and the zone if there is one, so that two can be compared."""
    try:
        zone, warnings = read()
    except ConfigError as error:
        return error.problems, error.warnings
    return warnings, zone.cuts, zone.wants_coordinates, zone.serial, zone.soa().rdatas, labels_of(zone)


def labels_of(zone: Zone) -> object:
    """All names, their labels, records and links, with nothing that tells where they stand."""
    image = zone.image
    found = {image.key(name): image.labels_for(name, TARGETS) for name in image.names(zone.table)}
    return {
        relative: (
            name.plain and replace(name.plain, rrsets={}),
            name.plain
            and {rrtype: (each.ttl, each.rdatas, each.checks()) for rrtype, each in name.plain.rrsets.items()},
            name.levels,
            name.address_prefixes,
            [(target, image.text(label)) for target, label in found[relative]],
        )
        for relative, name in names_of(zone).items()
    }


TARGETS = (b"@", b"us", b"europe", b"as1", b"as0", b"as4294967296", b"[192.0.2.0]", b"[2001:db8::]")


@bounded
@given(DOCUMENTS, st.sampled_from([{}, {"data": {"www": {"a": [["192.0.2.1", 1]]}, "WWW": {"alias": "us"}}}]))
def test_a_document_read_label_by_label_is_the_same(document: Any, instead: dict[str, object]) -> None:
    """From the text, each label built at once, or from the whole: the same zone, and the same errors and warnings."""
    octets = json.dumps({**document, **instead} if isinstance(document, dict) else document).encode()

    def at_once() -> tuple[Zone, list[Problem]]:
        source, warnings = read_document(parse_json(octets, FILE), "example.com", FILE, 0)
        zone, problems = build_zone(source)
        return zone, [*warnings, *problems]

    def label_by_label() -> tuple[Zone, list[Problem]]:
        packing = Packing()
        read = read_zone(ZoneReader(parse_json_lazily(octets, FILE, "data"), "example.com", FILE, 0), packing)
        packing.settle()
        return read

    assert told(label_by_label) == told(at_once)
