"""G080-G086: TTLs, and the SOA with its timers, names and owner."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from tests.checking import NOTHING, check_label
from tests.serving import Server, serving, write_zones

MTIME = 1_700_000_001
SERVER = {"ns": ["ns1.example.net."]}

ZONES: dict[str, object] = {
    "ttl300.example": {
        "ttl": 300,
        "serial": 42,
        "contact": "support.example.net",
        "data": {
            "": {"ns": ["ns2.example.net.", "ns1.example.net."]},
            "www": {"a": [["192.0.2.1"]], "txt": "x"},
            "short": {"ttl": 60, "a": [["192.0.2.1"]], "txt": "x"},
            "string": {"ttl": "61", "a": [["192.0.2.1"]]},
            "unset": {"ttl": 0, "a": [["192.0.2.1"]]},
            "short.dk": {"ttl": 30, "a": [["192.0.2.2"]]},
            "alias": {"ttl": 5, "alias": "short"},
            "typed": {"ttl": {"a": 30, "aaaa": "31"}, "a": [["192.0.2.1"]], "aaaa": [["2001:db8::1"]], "txt": "x"},
            "typed-new": {"ttl": {"caa": 77, "type65280": 78}, "caa": '0 issue ";"', "type65280": "\\# 0"},
            "plain.dk": {"ns": ["ns1.example.net."]},
            "labelled.dk": {"ttl": 60, "ns": ["ns1.example.net."]},
            "typed.dk": {"ttl": {"ns": 90, "a": 91}, "ns": ["ns1.example.net."], "a": [["192.0.2.1"]]},
            "other-typed.dk": {"ttl": {"a": 91}, "ns": ["ns1.example.net."]},
            "cut": {"ttl": 61, "ns": ["ns1.example.net."]},
        },
    },
    "ttl0.example": {"ttl": 0, "data": {"": SERVER, "www": {"a": [["192.0.2.1"]]}, "short": {"ttl": 5, "txt": "x"}}},
    "ttl30.example": {"ttl": 30},
    "ttl359.example": {"ttl": 359},
    "ttl360.example": {"ttl": 360},
    "ttl361.example": {"ttl": 361},
    "day.example": {"ttl": 86400, "data": {"": {"ttl": 5, **SERVER}}},
    "default.example": {"data": {"": {"ttl": 7, "txt": "x"}}},
    "object.example": {"data": {"": {"ns": {"z.example.net.": None, "m.example.net": None, "a.example.net.": None}}}},
    "text.example": {"data": {"": {"ns": "only.example.net"}}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """A server of all these zones, whose files are of one known second."""
    directory = tmp_path_factory.mktemp("g08")
    write_zones(directory / "zones", ZONES)
    for file in (directory / "zones").iterdir():
        os.utime(file, (MTIME, MTIME))
    with serving(directory, arguments=["--geoip", str(world)]) as running:
        assert running.health()["errors"] == []
        yield running


def ttl(server: Server, name: str, rrtype: str = "A", subnet: str | None = None) -> int:
    """The TTL of the answer, the same for all its records."""
    [rrset] = server.ask(name, rrtype, subnet=subnet).answer
    seconds: int = rrset.ttl
    return seconds


def soa_rrset(server: Server, origin: str) -> Any:
    [rrset] = server.ask(origin, "SOA").answer
    return rrset


def soa(server: Server, origin: str) -> Any:
    """The SOA's rdata."""
    return soa_rrset(server, origin)[0]


def negative_soa(server: Server, name: str, rrtype: str = "A") -> Any:
    """The SOA that a negative answer has in its authority section, and nothing beside it."""
    answer = server.ask(name, rrtype)
    assert answer.answer == []
    [rrset] = answer.authority
    assert rrset.rdtype == dns.rdatatype.SOA
    return rrset


def test_G080_a_record_has_the_ttl_of_its_label_else_of_its_zone(server: Server) -> None:
    """60 where the label says so, for all its types; 300 elsewhere; a numeric string counts."""
    assert ttl(server, "www.ttl300.example") == 300
    assert ttl(server, "www.ttl300.example", "TXT") == 300
    assert ttl(server, "short.ttl300.example") == 60
    assert ttl(server, "short.ttl300.example", "TXT") == 60
    assert ttl(server, "string.ttl300.example") == 61


def test_G080_a_label_ttl_of_0_counts_as_unset(server: Server) -> None:
    """The zone's number then."""
    assert ttl(server, "unset.ttl300.example") == 300


def test_G080_a_zone_ttl_of_0_is_0(server: Server) -> None:
    """A label's own number still wins."""
    assert ttl(server, "www.ttl0.example") == 0
    assert ttl(server, "short.ttl0.example", "TXT") == 5


def test_G080_the_label_that_answers_has_its_own_ttl(server: Server) -> None:
    """A Dane gets the Danish label's; an alias the one of its target (G130)."""
    assert ttl(server, "short.ttl300.example", subnet="192.0.2.0/24") == 30
    assert ttl(server, "alias.ttl300.example") == 60


def test_a_record_type_may_have_a_ttl_of_its_own(server: Server) -> None:
    """`"ttl": {"a": 30}`: the types that are not in it have the zone's."""
    assert ttl(server, "typed.ttl300.example", "A") == 30
    assert ttl(server, "typed.ttl300.example", "AAAA") == 31
    assert ttl(server, "typed.ttl300.example", "TXT") == 300
    assert ttl(server, "typed-new.ttl300.example", "CAA") == 77
    assert ttl(server, "typed-new.ttl300.example", "TYPE65280") == 78


def test_a_ttl_by_type_is_checked(tmp_path: Path) -> None:
    """Each number in its place; a type that is none is warned of."""
    assert check_label(tmp_path, {"ttl": {"a": 30, "https": "300"}, "txt": "x"}) == NOTHING
    assert check_label(tmp_path, {"ttl": {"a": "x"}}).errors == [
        'data."www".ttl.a: ttl must be an integer >= 0, found "x"'
    ]
    assert len(check_label(tmp_path, {"ttl": {"hinfo": 30}}).warnings) == 1


@pytest.mark.parametrize("value", [None, True, [], "x", " 60", -1, 2**31])
def test_G080_a_label_ttl_must_be_a_number_of_31_bits(tmp_path: Path, value: object) -> None:
    """Anything else fails the zone (RFC 2181 section 8)."""
    [error] = check_label(tmp_path, {"ttl": value}).errors

    assert error.startswith('data."www".ttl: ttl must be ')


def test_G081_ns_have_a_day_or_their_labels_ttl(server: Server) -> None:
    """Never the zone's number."""
    assert ttl(server, "ttl300.example", "NS") == 86400
    assert ttl(server, "ttl0.example", "NS") == 86400
    assert ttl(server, "plain.dk.ttl300.example", "NS") == 86400
    assert ttl(server, "labelled.dk.ttl300.example", "NS") == 60
    assert ttl(server, "day.example", "NS") == 5


def test_G081_ns_of_a_ttl_by_type(server: Server) -> None:
    """Their own entry; where there is none, the day."""
    assert ttl(server, "typed.dk.ttl300.example", "NS") == 90
    assert ttl(server, "other-typed.dk.ttl300.example", "NS") == 86400


def test_G081_ns_of_a_referral(server: Server) -> None:
    """The same rule in the authority section."""
    [rrset] = server.ask("www.cut.ttl300.example").authority

    assert (rrset.rdtype, rrset.ttl) == (dns.rdatatype.NS, 61)


@pytest.mark.parametrize(
    ("origin", "seconds"),
    [
        ("ttl300.example", 3000),
        ("default.example", 1200),
        ("ttl0.example", 600),
        ("ttl30.example", 300),
        ("ttl359.example", 3590),
        ("ttl360.example", 3600),
        ("ttl361.example", 3600),
        ("day.example", 3600),
    ],
)
def test_G082_soa_ttl_is_ten_times_the_zones_up_to_an_hour(server: Server, origin: str, seconds: int) -> None:
    """0 counts as 60; a ttl of the apex label has no part in it; the same in answers and in negative answers."""
    assert soa_rrset(server, origin).ttl == seconds
    assert negative_soa(server, f"missing.{origin}").ttl == seconds
    assert negative_soa(server, origin, "MX").ttl == seconds


def test_G082_negative_answers_carry_the_same_soa(server: Server) -> None:
    """Owner, TTL and rdata of NXDOMAIN and NODATA are those of the SOA when it is asked for."""
    asked = soa_rrset(server, "ttl300.example")

    for name, rrtype in (("missing.ttl300.example", "A"), ("www.ttl300.example", "AAAA"), ("ttl300.example", "A")):
        assert negative_soa(server, name, rrtype).to_text() == asked.to_text()


def test_G083_soa_timers(server: Server) -> None:
    """Refresh 5400, retry 5400, expire 1209600, minimum 3600, whatever the zone's ttl."""
    for origin in ("ttl300.example", "ttl0.example", "default.example"):
        record = soa(server, origin)
        assert (record.refresh, record.retry, record.expire, record.minimum) == (5400, 5400, 1209600, 3600)


def test_G083_soa_serial(server: Server) -> None:
    """The file's number, else the file's time (G041)."""
    assert soa(server, "ttl300.example").serial == 42
    assert soa(server, "default.example").serial == MTIME


def test_G084_soa_mname_is_the_first_name_server_of_the_file(server: Server) -> None:
    """Of a list, of a string, and of an object, whose order geodns loses."""
    assert soa(server, "ttl300.example").mname.to_text() == "ns2.example.net."
    assert soa(server, "text.example").mname.to_text() == "only.example.net."
    assert soa(server, "object.example").mname.to_text() == "z.example.net."
    assert server.values("object.example", "NS") == ["z.example.net.", "m.example.net.", "a.example.net."]


def test_G084_soa_mname_without_a_name_server(server: Server) -> None:
    """`ns.`, as 3.4.1 has it."""
    assert soa(server, "default.example").mname.to_text() == "ns."


def test_G085_soa_rname_is_the_contact(server: Server) -> None:
    """With a final dot."""
    assert soa(server, "ttl300.example").rname.to_text() == "support.example.net."
    assert soa(server, "default.example").rname.to_text() == "hostmaster.default.example."


@pytest.mark.parametrize("qname", ["MISSING.TTL300.EXAMPLE.", "WwW.tTl300.eXample."])
def test_G086_soa_owner_is_the_origin_in_the_files_case(server: Server, qname: str) -> None:
    """Whatever case the query had, in negative answers of both kinds; the question keeps its own case."""
    answer = server.ask(qname, "AAAA")

    assert [rrset.name.to_text() for rrset in answer.authority] == ["ttl300.example."]
    assert answer.question[0].name.to_text() == qname


def test_G086_soa_is_only_at_the_apex(server: Server) -> None:
    """Asked for below it is in the authority section, as in any negative answer."""
    answer = server.ask("www.ttl300.example", "SOA")

    assert (answer.answer, answer.rcode()) == ([], dns.rcode.NOERROR)
    assert answer.flags & dns.flags.AA
    assert [rrset.name.to_text() for rrset in answer.authority] == ["ttl300.example."]
