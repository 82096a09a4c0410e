"""G130-G135: an alias lends a label the records of another one of its zone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from tests.serving import Server, run_command, serving

# Clients by country, as tests.databases.WORLD has them.
DENMARK = "192.0.2.0/24"
AMERICA = "203.0.113.0/26"
JAPAN = "203.0.113.192/26"

MAIL = [{"mx": "mail.example.net.", "preference": 10}]
ZONE = {
    "ttl": 300,
    "max_hosts": 2,
    "data": {
        "": {"ns": ["ns1.example.net."], "a": [["192.0.2.100"]], "txt": "apex", "mx": MAIL},
        "us": {"a": [["192.0.2.101"]]},
        "pool": {"ttl": 60, "max_hosts": 3, "a": [["192.0.2.1"], ["192.0.2.2"], ["192.0.2.3"], ["192.0.2.4"]]},
        "pool.us": {"a": [["192.0.2.5"]]},
        "pool.europe": {"txt": "Europe"},
        "www": {"alias": "pool", "ttl": 7, "max_hosts": 1},
        "upper": {"alias": "POOL"},
        "mixed.dk": {"alias": "Pool"},
        "mixed": {"a": [["192.0.2.6"]]},
        "apex": {"alias": ""},
        # What stands beside an alias.
        "own": {"alias": "pool", "a": [["192.0.2.7"]], "mx": MAIL},
        "ns": {"alias": "pool", "ns": ["ns9.example.net."]},
        "target": {"ns": ["ns8.example.net."], "a": [["192.0.2.8"]]},
        "lost": {"alias": "nowhere"},
        "lostmx": {"alias": "nowhere", "mx": MAIL},
        # Loops: of one, of two, of three with a way out beside it.
        "self": {"alias": "self"},
        "one": {"alias": "two"},
        "two": {"alias": "one"},
        "a": {"alias": "b"},
        "b": {"alias": "c"},
        "c": {"alias": "a", "a": [["192.0.2.9"]]},
        "first": {"alias": "second"},
        "second": {"alias": "third"},
        "third": {"alias": "pool"},
        "list": {"alias": ["pool", "mixed"]},
        "listlost": {"alias": ["nowhere", "mixed"]},
        "tocname": {"alias": "cname"},
        "cname": {"cname": "www.example.net."},
        # The US follow everybody's label, everybody else has an address.
        "back": {"a": [["192.0.2.10"]]},
        "back.us": {"alias": "back"},
        "a.dotted.name": {"alias": "another.dotted.name"},
        "another.dotted.name": {"a": [["192.0.2.11"]]},
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """One server for all questions."""
    with serving(tmp_path_factory.mktemp("alias"), {"example.com": ZONE}, ["--geoip", str(world)]) as running:
        yield running


def assert_nodata(answer: dns.message.Message) -> None:
    """NOERROR, no answer, the SOA in the authority section."""
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
    assert [(rrset.name.to_text(), rrset.rdtype) for rrset in answer.authority] == [("example.com.", dns.rdatatype.SOA)]


def test_G130_an_alias_answers_with_the_records_of_its_target(server: Server) -> None:
    """Under the name that was asked for, and without a CNAME."""
    (rrset,) = server.ask("WWW.example.com", subnet=JAPAN).answer

    assert rrset.name.to_text() == "WWW.example.com."
    assert rrset.rdtype == dns.rdatatype.A


def test_G130_ttl_and_max_hosts_are_the_targets(server: Server) -> None:
    """60 seconds and three records; the alias's own label says 7 and 1."""
    (rrset,) = server.ask("www.example.com", subnet=JAPAN).answer

    assert rrset.ttl == 60
    assert len(rrset) == 3


def test_G130_geography_goes_on_at_the_target(server: Server) -> None:
    """The US get the target's own variant, Europe gets its text there."""
    assert server.values("www.example.com", subnet=AMERICA) == ["192.0.2.5"]
    assert server.values("www.example.com", "TXT", subnet=DENMARK) == ['"Europe"']
    assert_nodata(server.ask("www.example.com", "TXT", subnet=JAPAN))


def test_G130_an_alias_may_stand_in_a_variant(server: Server) -> None:
    """Danes have the pool, all others the address."""
    assert len(server.values("mixed.example.com", subnet=DENMARK)) == 3
    assert server.values("mixed.example.com", subnet=JAPAN) == ["192.0.2.6"]


def test_G134_a_variant_that_leads_back_to_its_name_ends(server: Server) -> None:
    """Everybody's record answers; geodns would look for the same variant again."""
    assert server.values("back.example.com", subnet=AMERICA) == ["192.0.2.10"]


def test_G130_aliases_are_followed_to_the_last(server: Server) -> None:
    """Three in a row, and names of several labels."""
    assert server.values("first.example.com", subnet=AMERICA) == ["192.0.2.5"]
    assert server.values("a.dotted.name.example.com") == ["192.0.2.11"]


def test_G130_a_cname_at_the_target_answers(server: Server) -> None:
    """As the alias's own."""
    assert server.values("tocname.example.com") == ["www.example.net."]


def test_G131_the_case_of_the_target_does_not_matter(server: Server) -> None:
    """geodns answered nothing for an alias "POOL"."""
    assert server.values("upper.example.com", subnet=AMERICA) == ["192.0.2.5"]


@pytest.mark.parametrize(("rrtype", "value"), [("A", "192.0.2.100"), ("TXT", '"apex"'), ("MX", "10 mail.example.net.")])
def test_G132_the_empty_alias_is_the_apex(server: Server, rrtype: str, value: str) -> None:
    """Its records are answered."""
    assert server.values("apex.example.com", rrtype) == [value]


def test_G132_the_apex_has_its_variants_for_an_alias_too(server: Server) -> None:
    """The US get the apex's address for the US."""
    assert server.values("apex.example.com", subnet=AMERICA) == ["192.0.2.101"]


@pytest.mark.parametrize("rrtype", ["NS", "SOA"])
def test_G132_ns_and_soa_of_the_apex_do_not_follow(server: Server, rrtype: str) -> None:
    """A name below the apex has neither."""
    assert_nodata(server.ask("apex.example.com", rrtype))


@pytest.mark.parametrize("name", ["ns", "own"])
@pytest.mark.parametrize("rrtype", ["NS", "SOA"])
def test_G133_ns_and_soa_beside_an_alias_are_hidden(server: Server, name: str, rrtype: str) -> None:
    """They are no delegation either."""
    assert_nodata(server.ask(f"{name}.example.com", rrtype))


def test_G133_the_alias_answers_beside_a_hidden_ns(server: Server) -> None:
    """What looks like a delegation in the file is none."""
    assert server.values("ns.example.com", subnet=AMERICA) == ["192.0.2.5"]
    assert server.ask("below.ns.example.com").rcode() == dns.rcode.NXDOMAIN


def test_G133_other_types_of_the_label_are_answered_where_the_target_has_none(server: Server) -> None:
    """Its MX, but not its address: the target has that."""
    assert server.values("own.example.com", "MX") == ["10 mail.example.net."]
    assert "192.0.2.7" not in server.values("own.example.com")


def test_G134_a_missing_target_is_nodata(server: Server) -> None:
    """The name is there, with nothing at it but what else its label has."""
    assert_nodata(server.ask("lost.example.com"))
    assert_nodata(server.ask("lostmx.example.com"))
    assert server.values("lostmx.example.com", "MX") == ["10 mail.example.net."]


@pytest.mark.parametrize("name", ["self", "one", "two"])
@pytest.mark.parametrize("rrtype", ["A", "TXT", "NS", "ANY"])
def test_G134_a_loop_of_aliases_ends(server: Server, name: str, rrtype: str) -> None:
    """NODATA; geodns ran out of stack."""
    assert_nodata(server.ask(f"{name}.example.com", rrtype))


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_G134_what_stands_on_a_loop_is_answered(server: Server, name: str) -> None:
    """Wherever one steps onto it."""
    assert server.values(f"{name}.example.com") == ["192.0.2.9"]


def test_G134_check_warns_of_loops_and_missing_targets(server: Server) -> None:
    """A warning each, and status 0."""
    checked = run_command("check", server.zones / "example.com.json")
    warnings = [line for line in checked.stdout.splitlines() if "warning" in line]

    assert checked.returncode == 0
    for label in ("lost", "lostmx", "listlost", "self", "one", "two", "a", "b", "c", "back.us"):
        assert any(f'"{label}".alias' in line for line in warnings), label
    assert not any(f'"{label}".alias' in line for line in warnings for label in ("www", "first", "list"))


def test_G135_only_the_first_alias_of_a_list_counts(server: Server) -> None:
    """Also if it leads nowhere."""
    assert server.values("list.example.com", subnet=AMERICA) == ["192.0.2.5"]
    assert_nodata(server.ask("listlost.example.com"))
