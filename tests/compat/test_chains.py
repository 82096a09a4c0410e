"""CNAME chains through all zones that are served here: rcode and SOA are the last name's (RFC 6604 section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from tests.serving import Server, serving

# Clients by country and AS, as tests.databases.WORLD has them.
DENMARK = "192.0.2.0/24"
AMERICA = "203.0.113.0/26"
GERMANY = "198.51.100.0/25"

CHAIN_LIMIT = 8
LONG = {f"long{link}": {"cname": f"long{link + 1}"} for link in range(20)}

ZONES: dict[str, object] = {
    "example.com": {
        "ttl": 300,
        "max_hosts": 4,
        "data": {
            "": {"ns": ["ns1.example.net."], "mx": [{"mx": "mail.example.net."}]},
            "end": {"a": [["192.0.2.1"]], "txt": "end"},
            "one": {"cname": "end"},
            "two": {"cname": "one", "ttl": 7},
            "upper": {"cname": "END.Example.COM."},
            "apex": {"cname": "example.com."},
            # To the end after exactly as many CNAMEs as are followed, and after one more.
            **{f"link{link}": {"cname": f"link{link + 1}"} for link in range(9)},
            "link9": {"a": [["192.0.2.9"]]},
            **LONG,
            # Loops: of one, of two, of two after a way in, through another zone.
            "self": {"cname": "self"},
            "ping": {"cname": "pong"},
            "pong": {"cname": "ping"},
            "in": {"cname": "ping"},
            "around": {"cname": "around.example.org."},
            # Ends.
            "nodata": {"cname": "textonly"},
            "textonly": {"txt": "no address"},
            "nxdomain": {"cname": "missing"},
            "out": {"cname": "www.example.net."},
            "later-out": {"cname": "out"},
            "dele": {"ns": ["ns.dele.example.com."]},
            "ns.dele": {"a": [["192.0.2.53"]]},
            "todele": {"cname": "www.dele"},
            "tocut": {"cname": "dele"},
            "*.wild": {"a": [["192.0.2.2"]]},
            "towild": {"cname": "some.name.wild"},
            "*.wildcname": {"cname": "end"},
            "aliased": {"alias": "one"},
            "toalias": {"cname": "alias"},
            "alias": {"alias": "end"},
            "toempty": {"cname": "empty"},
            "below.empty": {"a": [["192.0.2.3"]]},
            # Into other zones.
            "other": {"cname": "end.example.org."},
            "other-nodata": {"cname": "textonly.example.org."},
            "other-nxdomain": {"cname": "missing.example.org."},
            "other-and-out": {"cname": "out.example.org."},
            "other-and-back": {"cname": "back.example.org."},
            "child": {"cname": "www.sub.example.com."},
            "childless": {"cname": "missing.sub.example.com."},
            # By country here, by AS there.
            "geo": {"cname": "end"},
            "geo.dk": {"cname": "geo.example.org."},
            "geo.us": {"a": [["192.0.2.4"]]},
            "geo.de": {"cname": "geo.example.org."},
            "onlyus.us": {"a": [["192.0.2.5"]]},
            "toonlyus": {"cname": "onlyus"},
            "weighted": {"cname": [["w1", 1], ["w2", 1]]},
            "w1": {"a": [["192.0.2.11"]]},
            "w2": {"a": [["192.0.2.12"]]},
        },
    },
    "example.org": {
        "ttl": 60,
        "targeting": "asn @",
        "data": {
            "": {"ns": ["ns1.example.net."]},
            "end": {"a": [["198.51.100.1"]]},
            "textonly": {"txt": "no address"},
            "out": {"cname": "www.example.net."},
            "back": {"cname": "end.example.com."},
            "around": {"cname": "around.example.com."},
            "geo": {"a": [["198.51.100.2"]]},
            "geo.as64500": {"a": [["198.51.100.3"]]},
            # A country is no target here, so this is nobody's variant.
            "geo.de": {"a": [["198.51.100.4"]]},
        },
    },
    "sub.example.com": {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["203.0.113.1"]]}}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """One server for all questions."""
    with serving(tmp_path_factory.mktemp("chains"), ZONES, ["--geoip", str(world)]) as running:
        yield running


def authority(answer: dns.message.Message) -> list[tuple[str, str]]:
    """Owner and type of the RRsets in the authority section."""
    return [(rrset.name.to_text(), dns.rdatatype.to_text(rrset.rdtype)) for rrset in answer.authority]


def owners(answer: dns.message.Message) -> list[str]:
    """The first labels of the owners in the answer section, in its order."""
    return [rrset.name.labels[0].decode() for rrset in answer.answer]


def is_authoritative(answer: dns.message.Message) -> bool:
    """Whether AA is set."""
    return bool(answer.flags & dns.flags.AA)


# -- to an end


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("one", ["end.example.com.", "192.0.2.1"]),
        ("two", ["one.example.com.", "end.example.com.", "192.0.2.1"]),
        ("other", ["end.example.org.", "198.51.100.1"]),
        ("other-and-back", ["back.example.org.", "end.example.com.", "192.0.2.1"]),
        ("child", ["www.sub.example.com.", "203.0.113.1"]),
        ("towild", ["some.name.wild.example.com.", "192.0.2.2"]),
        ("a.wildcname", ["end.example.com.", "192.0.2.1"]),
        ("aliased", ["end.example.com.", "192.0.2.1"]),
        ("toalias", ["alias.example.com.", "192.0.2.1"]),
    ],
)
@pytest.mark.parametrize("tcp", [False, True])
def test_a_chain_is_answered_to_its_end(server: Server, name: str, values: list[str], tcp: bool) -> None:
    """Each CNAME in order, then the records; through all zones, wildcards and aliases."""
    answer = server.ask(f"{name}.example.com", tcp=tcp)

    assert [rdata.to_text() for rrset in answer.answer for rdata in rrset] == values
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.authority == []
    assert is_authoritative(answer)


def test_each_record_has_the_owner_that_led_to_it(server: Server) -> None:
    """The question as sent, then each target as the zone file writes it."""
    answer = server.ask("UpPer.example.com")

    assert [rrset.name.to_text() for rrset in answer.answer] == ["UpPer.example.com.", "END.Example.COM."]
    assert answer.answer[1][0].to_text() == "192.0.2.1"


def test_a_wildcard_on_the_chain_has_the_name_that_was_asked_for(server: Server) -> None:
    """RFC 4592 section 2.1.3: the records are those of the wildcard, under the other name."""
    assert [rrset.name.to_text() for rrset in server.ask("towild.example.com").answer] == [
        "towild.example.com.",
        "some.name.wild.example.com.",
    ]


def test_each_record_has_the_ttl_of_its_own_label(server: Server) -> None:
    """7 seconds of the label, 300 and 60 of the zones."""
    assert [rrset.ttl for rrset in server.ask("two.example.com").answer] == [7, 300, 300]
    assert [rrset.ttl for rrset in server.ask("other.example.com").answer] == [300, 60]


@pytest.mark.parametrize(("rrtype", "last"), [("TXT", '"end"'), ("A", "192.0.2.1")])
def test_a_chain_is_followed_for_every_type(server: Server, rrtype: str, last: str) -> None:
    """Whatever the last name has of it."""
    assert server.values("two.example.com", rrtype)[-1] == last


@pytest.mark.parametrize("rrtype", ["CNAME", "ANY"])
def test_who_asks_for_the_cname_gets_it_alone(server: Server, rrtype: str) -> None:
    """RFC 1034 section 4.3.2 step 3a: it is followed where its type does not match the question's."""
    assert server.values("two.example.com", rrtype) == ["one.example.com."]


def test_a_chain_to_an_apex_reads_what_stands_there(server: Server) -> None:
    """Its MX, its NS and its SOA."""
    assert server.values("apex.example.com", "MX")[-1] == "0 mail.example.net."
    assert server.values("apex.example.com", "NS")[-1] == "ns1.example.net."
    assert server.ask("apex.example.com", "SOA").answer[1].rdtype == dns.rdatatype.SOA


def test_a_weighted_cname_is_followed_where_it_went(server: Server) -> None:
    """One CNAME is drawn, and the address is that of its target."""
    seen = {tuple(server.values("weighted.example.com")) for _ in range(60)}

    assert seen == {("w1.example.com.", "192.0.2.11"), ("w2.example.com.", "192.0.2.12")}


# -- rcode and SOA of the last name


@pytest.mark.parametrize(
    ("name", "rcode", "origin"),
    [
        ("nodata", dns.rcode.NOERROR, "example.com."),
        ("toempty", dns.rcode.NOERROR, "example.com."),
        ("other-nodata", dns.rcode.NOERROR, "example.org."),
        ("nxdomain", dns.rcode.NXDOMAIN, "example.com."),
        ("other-nxdomain", dns.rcode.NXDOMAIN, "example.org."),
        ("childless", dns.rcode.NXDOMAIN, "sub.example.com."),
    ],
)
def test_rcode_and_soa_are_those_of_the_last_name(server: Server, name: str, rcode: int, origin: str) -> None:
    """The CNAME in the answer, then what its target's zone says of the target; with authority."""
    answer = server.ask(f"{name}.example.com")

    assert answer.rcode() == rcode
    assert [rrset.rdtype for rrset in answer.answer] == [dns.rdatatype.CNAME]
    assert authority(answer) == [(origin, "SOA")]
    assert is_authoritative(answer)


def test_a_chain_to_a_name_that_only_others_see_is_nxdomain(server: Server) -> None:
    """And NOERROR for those who see it (G116)."""
    assert server.ask("toonlyus.example.com", subnet=DENMARK).rcode() == dns.rcode.NXDOMAIN
    assert server.values("toonlyus.example.com", subnet=AMERICA) == ["onlyus.example.com.", "192.0.2.5"]


def test_counters_have_the_rcode_of_the_last_name(server: Server) -> None:
    """In the row of the zone that was asked."""
    labels = {"zone": "example.com", "qtype": "A", "rcode": "NXDOMAIN"}
    before = server.metric("dns_queries_total", **labels)

    server.ask("other-nxdomain.example.com")

    assert server.metric("dns_queries_total", **labels) == before + 1


# -- out of our authority


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("out", ["www.example.net."]),
        ("later-out", ["out.example.com.", "www.example.net."]),
        ("other-and-out", ["out.example.org.", "www.example.net."]),
    ],
)
def test_a_chain_out_of_our_zones_ends_there(server: Server, name: str, values: list[str]) -> None:
    """NOERROR, with authority, and no SOA: of the last name we know nothing."""
    answer = server.ask(f"{name}.example.com")

    assert [rdata.to_text() for rrset in answer.answer for rdata in rrset] == values
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.authority == []
    assert is_authoritative(answer)


@pytest.mark.parametrize(("name", "target"), [("todele", "www.dele.example.com."), ("tocut", "dele.example.com.")])
def test_a_chain_into_a_delegation_ends_in_a_referral(server: Server, name: str, target: str) -> None:
    """The CNAME with authority (RFC 1035 section 4.1.1: AA is of the first owner), then the cut's NS and glue."""
    answer = server.ask(f"{name}.example.com")

    assert [rdata.to_text() for rrset in answer.answer for rdata in rrset] == [target]
    assert answer.rcode() == dns.rcode.NOERROR
    assert authority(answer) == [("dele.example.com.", "NS")]
    assert [rrset.name.to_text() for rrset in answer.additional] == ["ns.dele.example.com."]
    assert is_authoritative(answer)


# -- how far


def test_eight_cnames_are_followed(server: Server) -> None:
    """The target of the eighth is still answered."""
    assert server.values("link1.example.com") == [*(f"link{link}.example.com." for link in range(2, 10)), "192.0.2.9"]


@pytest.mark.parametrize("name", ["link0", "long0", "long5"])
def test_more_than_eight_are_not_followed(server: Server, name: str) -> None:
    """The answer ends after the CNAMEs so far, with NOERROR: the resolver goes on by itself."""
    answer = server.ask(f"{name}.example.com")
    kinds = [rrset.rdtype for rrset in answer.answer]

    assert answer.rcode() == dns.rcode.NOERROR
    assert set(kinds) == {dns.rdatatype.CNAME}
    assert CHAIN_LIMIT <= len(kinds) <= CHAIN_LIMIT + 1
    assert answer.authority == []


def test_a_chain_that_was_cut_short_goes_on_where_it_ended(server: Server) -> None:
    """Asked for the last target, the rest follows: no link is lost between two answers."""
    last = server.values("link0.example.com")[-1]

    assert server.values(last)[-1] == "192.0.2.9"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("self.example.com", ["self"]),
        ("ping.example.com", ["ping", "pong"]),
        ("in.example.com", ["in", "ping", "pong"]),
        ("around.example.com", ["around", "around"]),
        ("around.example.org", ["around", "around"]),
        ("PING.example.com", ["PING", "pong"]),
    ],
)
def test_a_loop_ends(server: Server, name: str, path: list[str]) -> None:
    """Each CNAME of it once, NOERROR, nothing in authority; the case of the question does not matter."""
    answer = server.ask(name)

    assert answer.rcode() == dns.rcode.NOERROR
    assert owners(answer) == path
    assert answer.authority == []


def test_a_loop_of_cnames_is_no_fault_of_the_server(server: Server) -> None:
    """It is counted and logged as an answer."""
    before = server.metric("greendns_failures_total")

    for name in ("self", "ping", "in", "around", "long0"):
        server.ask(f"{name}.example.com")

    assert server.metric("greendns_failures_total") == before
    assert "Traceback" not in server.log_text()


# -- other targeting


def test_each_zone_on_the_chain_has_its_own_targets(server: Server) -> None:
    """Denmark by country to the other zone, and there by AS; a country is no target there."""
    assert server.values("geo.example.com", subnet=DENMARK) == ["geo.example.org.", "198.51.100.3"]
    assert server.values("geo.example.com", subnet=GERMANY) == ["geo.example.org.", "198.51.100.2"]


def test_the_client_decides_whether_there_is_a_chain_at_all(server: Server) -> None:
    """The US have an address, all others a CNAME in the same zone."""
    assert server.values("geo.example.com", subnet=AMERICA) == ["192.0.2.4"]
    assert server.values("geo.example.com", subnet="203.0.113.192/26") == ["end.example.com.", "192.0.2.1"]


# -- room


def test_a_chain_that_does_not_fit_is_truncated(tmp_path: Path) -> None:
    """TC over UDP, whole over TCP."""
    many = {"txt": [f"{number:03}" + "x" * 200 for number in range(20)]}
    with serving(tmp_path, {"example.com": {"data": {"www": {"cname": "many"}, "many": many}}}) as server:
        cut = server.ask("www.example.com", "TXT")
        whole = server.ask("www.example.com", "TXT", tcp=True)

    assert cut.flags & dns.flags.TC
    assert not whole.flags & dns.flags.TC
    assert len(whole.answer[1]) == 20
