"""G110-G120: which zone and which label answer, and what is said where none does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from tests.serving import Server, serving, wait_until

# Clients by country, as tests.databases.WORLD has them.
DENMARK = "192.0.2.0/24"
BRITAIN = "198.51.100.128/25"
AMERICA = "203.0.113.0/26"
JAPAN = "203.0.113.192/26"
DIGEST = "12345 13 2 " + "ab" * 32
UNHEALTHY = {"a": [{"ip": "192.0.2.66", "health": "checks/unknown"}], "health": {"type": "tcp"}}

ZONES: dict[str, object] = {
    "example.com": {
        "ttl": 300,
        "data": {
            "": {"ns": ["ns1.example.net."], "mx": [{"mx": "mail.example.net.", "preference": 10}], "txt": "parent"},
            "www": {"a": [["192.0.2.1"]]},
            "sub": {"ns": ["ns1.example.net."], "ds": DIGEST},
            "shop.sub": {"txt": "hidden by the longer zone"},
            # All that one label can hold beside each other.
            "mixed": {"cname": "www", "a": [["192.0.2.2"]], "txt": "not seen", "mx": [{"mx": "mail.example.net."}]},
            "aliased": {"alias": "www", "cname": "mx", "a": [["192.0.2.3"]]},
            "chained": {"cname": "mixed"},
            "away": {"cname": "www.example.net."},
            "partly": {"a": [["192.0.2.4"]]},
            "partly.us": {"cname": "www"},
            "mx": {"a": [["192.0.2.5"]], "mx": [{"mx": "mail.example.net.", "preference": 10}]},
            "mx.gb": {"a": [["192.0.2.6"]]},
            "onlyus.us": {"a": [["192.0.2.7"]]},
            "empty": {"a": []},
            "falls": {"a": [["192.0.2.8"]]},
            "falls.us": {"a": []},
            "falls.dk": {"max_hosts": 0, "a": [["192.0.2.66"]]},
            "falls.gb": UNHEALTHY,
            "falls.europe": {"a": [["192.0.2.9"]]},
            "deep.er.name": {"a": [["192.0.2.10"]]},
            "none": {"max_hosts": 0, "a": [["192.0.2.66"]]},
            "sick": UNHEALTHY,
            "lost": {"alias": "nowhere"},
            # A delegation, with a name server of its own below it and one beside it.
            "dele": {"ns": ["ns.dele.example.com.", "glue.example.com.", "ns1.example.net."], "ds": DIGEST},
            "ns.dele": {"a": [["192.0.2.53"]], "aaaa": [["2001:db8::53"]]},
            "glue": {"a": [["192.0.2.54"]]},
        },
    },
    "sub.example.com": {"data": {"": {"ns": ["ns1.example.net."], "txt": "child"}, "www": {"a": [["192.0.2.20"]]}}},
    "nobody.example.org": {
        "targeting": "country",
        "data": {"dele": {"ns": ["ns.dele.nobody.example.org."]}, "ns.dele": {"a": [["192.0.2.55"]]}},
    },
    "lone.example.org": {"data": {"": {"ns": ["ns1.example.net."], "ds": DIGEST}}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """One server for all questions; it knows of no check's state, so that what is checked is down."""
    directory = tmp_path_factory.mktemp("matching")
    (directory / "states").mkdir()
    (directory / "greendns.toml").write_text('[health]\ndirectory = "states"\n')
    with serving(directory, ZONES, ["--geoip", str(world)], workers=0) as running:
        wait_until(lambda: running.values("sick.example.com") == [], "the states are read")
        yield running


def owners(answer: dns.message.Message) -> list[tuple[str, str]]:
    """Owner and type of the RRsets in the authority section."""
    return [(rrset.name.to_text(), dns.rdatatype.to_text(rrset.rdtype)) for rrset in answer.authority]


def is_authoritative(answer: dns.message.Message) -> bool:
    """Whether AA is set."""
    return bool(answer.flags & dns.flags.AA)


def assert_negative(answer: dns.message.Message, rcode: int, origin: str = "example.com.") -> None:
    """No answer, AA, and the zone's SOA alone in the authority section (RFC 2308)."""
    assert answer.rcode() == rcode
    assert answer.answer == []
    assert owners(answer) == [(origin, "SOA")]
    assert is_authoritative(answer)


# -- zones


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("www.example.com", "192.0.2.1"),
        ("www.sub.example.com", "192.0.2.20"),
        ("WWW.sUB.exAMPLE.Com", "192.0.2.20"),
    ],
)
def test_G110_the_zone_with_the_longest_suffix_answers(server: Server, name: str, value: str) -> None:
    """Whatever the case of the question."""
    assert server.values(name) == [value]


def test_G110_the_longer_zone_hides_what_the_shorter_has(server: Server) -> None:
    """Neither the delegation nor a label of the parent's file is seen below the child's origin."""
    assert server.values("sub.example.com", "TXT") == ['"child"']
    assert is_authoritative(server.ask("sub.example.com", "NS"))
    assert_negative(server.ask("shop.sub.example.com", "TXT"), dns.rcode.NXDOMAIN, "sub.example.com.")


def test_G110_ds_of_an_apex_is_the_parents(server: Server) -> None:
    """The parent is served here too, so its DS is answered, with authority (RFC 4035 section 3.1.4.1)."""
    answer = server.ask("sub.example.com", "DS")

    assert [rdata.to_text() for rdata in answer.answer[0]] == [DIGEST]
    assert is_authoritative(answer)


def test_G110_ds_without_the_parent_is_the_zones_own(server: Server) -> None:
    """Nobody else is here to ask."""
    assert server.values("lone.example.org", "DS") == [DIGEST]


@pytest.mark.parametrize("name", ["example.org", "com", ".", "www.example.net", "notexample.com"])
def test_G111_outside_our_zones_is_refused(server: Server, name: str) -> None:
    """Without authority and without any record."""
    answer = server.ask(name)

    assert answer.rcode() == dns.rcode.REFUSED
    assert not is_authoritative(answer)
    assert (answer.answer, answer.authority, answer.additional) == ([], [], [])


def test_G111_refused_has_an_opt_if_the_question_had_one(server: Server) -> None:
    """And none if it had none; geodns left it out."""
    assert server.ask("www.example.org", edns=True).edns == 0
    assert server.ask("www.example.org", edns=False).edns == -1


def test_G111_refused_is_counted(server: Server) -> None:
    """geodns did not."""
    before = server.metric("dns_queries_total", rcode="REFUSED")

    server.ask("counted.example.org")

    assert server.metric("dns_queries_total", rcode="REFUSED") == before + 1


# -- labels


def test_G112_cname_comes_before_the_asked_type(server: Server) -> None:
    """At one label."""
    answer = server.ask("mixed.example.com", "A")

    assert dns.rdatatype.CNAME in [rrset.rdtype for rrset in answer.answer]
    assert "192.0.2.2" not in server.values("mixed.example.com", "A")


def test_G112_alias_comes_before_cname(server: Server) -> None:
    """And before the label's own records."""
    assert server.values("aliased.example.com", "A") == ["192.0.2.1"]


def test_G112_the_nearer_target_wins_whatever_the_type(server: Server) -> None:
    """The US have a CNAME, all others an address."""
    assert server.values("partly.example.com", subnet=AMERICA) == ["www.example.com.", "192.0.2.1"]
    assert server.values("partly.example.com", subnet=JAPAN) == ["192.0.2.4"]


@pytest.mark.parametrize(
    ("subnet", "value"),
    [(DENMARK, "192.0.2.9"), (BRITAIN, "192.0.2.9"), (AMERICA, "192.0.2.8"), (JAPAN, "192.0.2.8")],
)
def test_G112_a_target_without_a_record_left_falls_through(server: Server, subnet: str, value: str) -> None:
    """Denmark has max_hosts 0, Britain a server that is down: both get the continent's. The US have an empty list."""
    assert server.values("falls.example.com", subnet=subnet) == [value]


def test_G113_a_target_without_the_type_falls_through(server: Server) -> None:
    """Britain has an address of its own and everybody's MX."""
    assert server.values("mx.example.com", "A", subnet=BRITAIN) == ["192.0.2.6"]
    assert server.values("mx.example.com", "MX", subnet=BRITAIN) == ["10 mail.example.net."]


def test_G114_an_empty_list_never_matches(server: Server) -> None:
    """Alone it is NODATA; before another target it is as if it were not there."""
    assert_negative(server.ask("empty.example.com"), dns.rcode.NOERROR)
    assert server.values("falls.example.com", subnet=AMERICA) == ["192.0.2.8"]


@pytest.mark.parametrize(
    ("name", "rrtype"),
    [("www", "MX"), ("www", "TYPE65280"), ("er.name", "A"), ("name", "A"), ("us", "A"), ("mx.gb", "MX")],
)
def test_G115_a_label_without_the_type_is_nodata(server: Server, name: str, rrtype: str) -> None:
    """NOERROR, the SOA in authority, AA; also for the parents of longer labels (G053)."""
    assert_negative(server.ask(f"{name}.example.com", rrtype), dns.rcode.NOERROR)


def test_G115_the_apex_without_the_type_is_nodata(server: Server) -> None:
    """The apex always exists."""
    assert_negative(server.ask("example.com", "AAAA"), dns.rcode.NOERROR)


@pytest.mark.parametrize("name", ["missing", "below.www", "a.b.c.d.e.f", "er", "name.er", "www.us.dk", "ww", "wwww"])
def test_G115_a_label_that_is_not_there_is_nxdomain(server: Server, name: str) -> None:
    """NXDOMAIN, the SOA in authority, AA."""
    assert_negative(server.ask(f"{name}.example.com"), dns.rcode.NXDOMAIN)


def test_G115_negative_soa_has_the_ttl_of_G082(server: Server) -> None:
    """Ten times the zone's TTL of 300 seconds."""
    assert server.ask("missing.example.com").authority[0].ttl == 3000


def test_G116_a_label_with_a_suffix_alone_is_there_for_its_clients_only(server: Server) -> None:
    """NOERROR in the US, for any type; NXDOMAIN elsewhere; by its whole name for everybody."""
    assert server.values("onlyus.example.com", subnet=AMERICA) == ["192.0.2.7"]
    assert_negative(server.ask("onlyus.example.com", "MX", subnet=AMERICA), dns.rcode.NOERROR)
    assert_negative(server.ask("onlyus.example.com", subnet=JAPAN), dns.rcode.NXDOMAIN)
    assert_negative(server.ask("onlyus.example.com"), dns.rcode.NXDOMAIN)
    assert server.values("onlyus.us.example.com", subnet=JAPAN) == ["192.0.2.7"]


@pytest.mark.parametrize("rrtype", ["A", "AAAA", "TXT", "MX", "SRV", "NS", "CAA", "TYPE65280"])
def test_G117_cname_wins_over_every_type(server: Server, rrtype: str) -> None:
    """Also over those that stand beside it in the zone file."""
    first = server.ask("mixed.example.com", rrtype).answer[0]

    assert (first.name.to_text(), first.rdtype) == ("mixed.example.com.", dns.rdatatype.CNAME)
    assert first[0].to_text() == "www.example.com."


def test_G117_a_cname_inside_our_zones_is_followed(server: Server) -> None:
    """To its end, in order; geodns stopped at the first."""
    assert server.values("chained.example.com") == ["mixed.example.com.", "www.example.com.", "192.0.2.1"]


def test_G117_a_cname_that_is_asked_for_is_not_followed(server: Server) -> None:
    """Who asks for CNAME has it."""
    assert server.values("chained.example.com", "CNAME") == ["mixed.example.com."]


def test_G117_a_cname_out_of_our_zones_stands_alone(server: Server) -> None:
    """With authority, and nothing said of what is not ours."""
    answer = server.ask("away.example.com")

    assert server.values("away.example.com") == ["www.example.net."]
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.authority == []
    assert is_authoritative(answer)


# -- delegations


@pytest.mark.parametrize(
    ("name", "rrtype"),
    [("dele", "NS"), ("dele", "A"), ("dele", "ANY"), ("www.dele", "A"), ("a.b.dele", "TXT"), ("ns.dele", "A")],
)
def test_G118_ns_below_the_apex_is_a_delegation(server: Server, name: str, rrtype: str) -> None:
    """A referral for the name and all below it: its NS in authority, no answer, no AA."""
    answer = server.ask(f"{name}.example.com", rrtype)

    assert answer.rcode() == dns.rcode.NOERROR
    assert not is_authoritative(answer)
    assert answer.answer == []
    assert owners(answer) == [("dele.example.com.", "NS")]
    assert {rdata.to_text() for rdata in answer.authority[0]} == {
        "ns.dele.example.com.",
        "glue.example.com.",
        "ns1.example.net.",
    }


def test_G118_a_referral_has_glue(server: Server) -> None:
    """The addresses of the name servers that stand in the zone."""
    glue = server.ask("www.dele.example.com").additional

    assert sorted((rrset.name.to_text(), rdata.to_text()) for rrset in glue for rdata in rrset) == [
        ("glue.example.com.", "192.0.2.54"),
        ("ns.dele.example.com.", "192.0.2.53"),
        ("ns.dele.example.com.", "2001:db8::53"),
    ]


def test_G118_a_referral_is_for_all_also_without_everybody(server: Server) -> None:
    """NS and glue, in a zone that targets countries alone: otherwise nobody could follow it."""
    answer = server.ask("www.dele.nobody.example.org")

    assert owners(answer) == [("dele.nobody.example.org.", "NS")]
    assert [rdata.to_text() for rrset in answer.additional for rdata in rrset] == ["192.0.2.55"]


def test_G118_ds_of_a_delegation_is_answered_here(server: Server) -> None:
    """With authority: it is the parent's (RFC 4035 section 3.1.4.1); but not for names below."""
    answer = server.ask("dele.example.com", "DS")

    assert server.values("dele.example.com", "DS") == [DIGEST]
    assert is_authoritative(answer)
    assert not is_authoritative(server.ask("www.dele.example.com", "DS"))


# -- what an answer looks like


@pytest.mark.parametrize("name", ["wWw.eXaMpLe.CoM.", "MIXED.example.com.", "www.EXAMPLE.com."])
def test_G119_the_owner_is_the_question_as_sent(server: Server, name: str) -> None:
    """Letter for letter, as is the question itself."""
    answer = server.ask(name)

    assert answer.question[0].name.to_text() == name
    assert answer.answer[0].name.to_text() == name


def test_G119_the_question_is_echoed_in_a_negative_answer(server: Server) -> None:
    """The SOA's owner is the zone as it is configured (G086)."""
    answer = server.ask("Missing.EXAMPLE.com.")

    assert answer.question[0].name.to_text() == "Missing.EXAMPLE.com."


@pytest.mark.parametrize("name", ["none", "sick", "lost"])
def test_G120_nothing_to_answer_with_is_nodata(server: Server, name: str) -> None:
    """max_hosts 0, all unhealthy, an alias to nowhere: all look the same."""
    assert_negative(server.ask(f"{name}.example.com"), dns.rcode.NOERROR)


def test_G110_a_name_above_a_zone_of_ours_exists(tmp_path: Path) -> None:
    """A DS of a child without a label in the parent, and an empty name between the two, are NODATA, not NXDOMAIN."""
    apex = {"": {"ns": ["ns1.example.net."]}}
    zones = {zone: {"data": {**apex}} for zone in ("example.com", "orphan.example.com", "a.b.example.com")}
    with serving(tmp_path, zones) as server:
        for name, rrtype in (("orphan.example.com", "DS"), ("a.b.example.com", "DS"), ("b.example.com", "A")):
            answer = server.ask(name, rrtype)
            assert (answer.rcode(), answer.answer, answer.authority[0].name.to_text()) == (0, [], "example.com.")
