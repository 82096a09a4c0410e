"""What a server tells of itself: `_status`, `_health` and `_country` (G180-G184)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from prometheus_client.parser import text_string_to_metric_families

from greendns.answer import answer
from greendns.loader import load_files
from greendns.outcome import Peer
from greendns.snapshot import ServerOptions, Snapshot, State
from greendns.zonedb import ZoneDB
from tests.serving import Server, serving, write_zones

ZONES = {
    "example.com": {"data": {"": {"ns": ["ns1.example.net."]}, "deep.www": {"a": [["192.0.2.1"]]}}},
    "example.org": {
        "data": {
            "*": {"txt": "wild"},
            "_status": {"txt": "mine"},
            "_country.www.dk": {"txt": "danish"},
            "sub": {"ns": "ns1.sub"},
        }
    },
    "places.example.com": {"targeting": "@ continent country regiongroup region asn ip"},
    "near.example.com": {"data": {"www": {"closest": True, "a": [["192.0.2.1"]]}}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """One server for the module, asked from loopback."""
    directory = tmp_path_factory.mktemp("debug")
    with serving(directory, ZONES, ["--geoip", str(world), "--identifier", "testid,europe"]) as running:
        yield running


def read_strings(rrset: dns.rrset.RRset) -> list[str]:
    """The character-strings of its one TXT record."""
    (record,) = rrset
    return [string.decode() for string in record.strings]


def ask_strings(server: Server, name: str, rrtype: str = "TXT", subnet: str | None = None) -> list[str]:
    """The strings of the one TXT record that answers."""
    (rrset,) = server.ask(name, rrtype, subnet=subnet).answer
    return read_strings(rrset)


@pytest.mark.parametrize("rrtype", ["TXT", "ANY"])
def test_G180_status_is_json_with_its_keys_sorted(server: Server, rrtype: str) -> None:
    """Host name, identifier, seconds since the start as a string, version; TTL 1, one string, AA."""
    answer = server.ask("_status.example.com", rrtype)
    (rrset,) = answer.answer
    (text,) = read_strings(rrset)
    status = json.loads(text)

    assert list(status) == ["h", "id", "up", "v"]
    assert status["h"] == socket.gethostname()
    assert status["id"] == "testid"
    assert status["up"].isdecimal()
    assert status["v"] == json.loads(server.get("/health")[1])["version"]
    assert text == json.dumps(status, sort_keys=True, separators=(",", ":"))
    assert (rrset.ttl, rrset.rdtype) == (1, dns.rdatatype.TXT)
    assert answer.flags & dns.flags.AA


@pytest.mark.parametrize("name", ["_status.example.com", "_status.www.example.com", "_status.no.such.name.example.com"])
def test_G180_status_is_answered_at_any_depth(server: Server, name: str) -> None:
    """It is the first label that counts, whether the rest exists or not."""
    assert json.loads(ask_strings(server, name)[0])["id"] == "testid"


def test_G180_status_works_in_the_zone_that_is_always_there(server: Server) -> None:
    """`_status.pgeodns`, as monitors ask for it (G036)."""
    assert json.loads(ask_strings(server, "_status.pgeodns")[0])["id"] == "testid"


@pytest.mark.parametrize("name", ["_STATUS.Example.COM", "_Health.Example.COM"])
def test_G180_the_owner_is_lower_cased(server: Server, name: str) -> None:
    """The answer's owner, that is; the question comes back as it was sent."""
    answer = server.ask(name, "TXT")

    assert answer.answer[0].name.to_text() == name.lower() + "."
    assert answer.question[0].name.to_text() == name + "."


@pytest.mark.parametrize("name", ["_status", "_health", "_country"])
@pytest.mark.parametrize("rrtype", ["A", "SOA", "NS", "TYPE65280"])
def test_G180_other_types_are_nodata(server: Server, name: str, rrtype: str) -> None:
    """NOERROR and the zone's SOA."""
    answer = server.ask(f"{name}.example.com", rrtype)

    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.answer == []
    assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]
    assert answer.authority[0].name.to_text() == "example.com."


def test_G180_an_exact_label_comes_before_the_debug_names(server: Server) -> None:
    """A zone that has a label of this name answers with it; so does its variant for the client's country."""
    assert ask_strings(server, "_status.example.org") == ["mine"]
    assert ask_strings(server, "_country.www.example.org", subnet="192.0.2.0/24") == ["danish"]


@pytest.mark.parametrize("name", ["_health", "_country", "_status.www"])
def test_G180_a_wildcard_comes_after_the_debug_names(server: Server, name: str) -> None:
    """The wildcard covers every other name, but not these: the pool's monitor reads them."""
    assert ask_strings(server, "elsewhere.example.org") == ["wild"]
    assert ask_strings(server, f"{name}.example.org") != ["wild"]


@pytest.mark.parametrize("rrtype", ["TXT", "ANY"])
def test_G181_health_is_an_empty_object(server: Server, rrtype: str) -> None:
    """One string, TTL 1."""
    (rrset,) = server.ask("_health.www.example.com", rrtype).answer

    assert read_strings(rrset) == ["{}"]
    assert rrset.ttl == 1


def test_G182_country_tells_what_is_known_of_the_client(server: Server) -> None:
    """Seven strings; without a region, a group or closest in use there is no location."""
    strings = ask_strings(server, "_country.example.com", subnet="203.0.113.0/24")
    host, _, port = strings[0].rpartition(":")

    assert host == "127.0.0.1"
    assert port.isdecimal()
    assert strings[1:] == ["203.0.113.0", "us north-america @", "/0", "testid", "", "()"]


def test_G182_country_tells_every_target_in_order_and_the_place(server: Server) -> None:
    """ip, asn, region, regiongroup, country, continent, @; the address is not cut to its /24 (G093)."""
    strings = ask_strings(server, "_country.places.example.com", subnet="203.0.113.5/32")

    assert strings[1:3] == ["203.0.113.5", "[203.0.113.5] [203.0.113.0] as0 us-ca us-west us north-america @"]
    assert strings[6] == "(37.800,-122.400)"


def test_G182_country_tells_the_place_where_closest_is_in_use(server: Server) -> None:
    """Any label of the zone with closest will do."""
    assert ask_strings(server, "_country.near.example.com", subnet="192.0.2.0/24")[6] == "(55.700,12.600)"


def test_G182_a_client_that_the_database_does_not_know_is_nowhere(server: Server) -> None:
    """(0.000,0.000) where a location is asked for at all (G100)."""
    assert ask_strings(server, "_country.near.example.com")[2:7:4] == ["@", "(0.000,0.000)"]


def test_G182_country_without_a_usable_subnet_is_about_the_socket(server: Server) -> None:
    """No subnet, one of length 0, a private one: the address that the packet came from."""
    for subnet in (None, "0.0.0.0/0", "10.1.2.0/24"):
        assert ask_strings(server, "_country.example.com", subnet=subnet)[1] == "127.0.0.1"


def test_G182_country_does_not_go_back_to_the_socket(server: Server) -> None:
    """A usable subnet is told even if it gives no targets (G101)."""
    assert ask_strings(server, "_country.example.com", subnet="192.0.0.0/24")[1:3] == ["192.0.0.0", "@"]


def test_G182_the_owner_is_as_asked(server: Server) -> None:
    """The case of the question, TTL 1."""
    (rrset,) = server.ask("_Country.WWW.example.COM", "TXT").answer

    assert rrset.name.to_text() == "_Country.WWW.example.COM."
    assert rrset.ttl == 1


def test_G182_country_speaks_of_an_ipv6_client(tmp_path: Path, world: Path) -> None:
    """Its socket in brackets, its address in the form of RFC 5952."""
    with serving(tmp_path, ZONES, ["--geoip", str(world)], listen=["[::1]:0"]) as server:
        own = ask_strings(server, "_country.example.com")
        other = ask_strings(server, "_country.example.com", subnet="2001:db8:2::/48")

    assert own[0].rpartition(":")[0] == "[::1]"
    assert own[1] == "::1"
    assert other[1:3] == ["2001:db8:2::", "us north-america @"]


# -- who may ask: no packet of a test may come from outside, so the answer function is asked itself


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The same zones in this process."""
    directory = tmp_path_factory.mktemp("zones")
    write_zones(directory, ZONES)
    zones = [loaded.zone for loaded in load_files(sorted(directory.iterdir())) if loaded.zone is not None]
    return Snapshot(ZoneDB(zones), options=ServerOptions(identifier="testid"))


def ask_from(address: str, name: str, snapshot: Snapshot) -> dns.message.Message:
    """The answer for a client of this address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    peer = Peer(socket.inet_pton(family, address), 5353, is_tcp=False)
    wire, _ = answer(dns.message.make_query(name, "TXT").to_wire(), peer, 0.0, snapshot, State(), lambda n: 0)
    assert wire is not None
    return dns.message.from_wire(wire)


@pytest.mark.parametrize("name", ["_status", "_health"])
@pytest.mark.parametrize("address", ["192.0.2.1", "126.0.0.1", "10.0.0.1", "2001:db8::1", "::", "::127.0.0.1"])
def test_G183_others_than_loopback_are_not_told(name: str, address: str, snapshot: Snapshot) -> None:
    """They get NXDOMAIN with the SOA, as for any name that is not there."""
    answer = ask_from(address, f"{name}.example.com", snapshot)

    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1"])
def test_G183_loopback_is_told(address: str, snapshot: Snapshot) -> None:
    """The whole of 127.0.0.0/8, and ::1."""
    assert ask_from(address, "_status.example.com", snapshot).answer


def test_G183_everybody_is_told_where_that_is_configured(snapshot: Snapshot) -> None:
    """publicdebugqueries (G020)."""
    public = Snapshot(snapshot.zones, options=replace(snapshot.options, public_debug_queries=True))

    for name in ("_status", "_health"):
        assert ask_from("192.0.2.1", f"{name}.example.com", public).answer


def test_G183_everybody_may_ask_for_country(snapshot: Snapshot) -> None:
    """It tells the client of itself."""
    (rrset,) = ask_from("2001:db8::1", "_country.example.com", snapshot).answer

    assert read_strings(rrset)[:2] == ["[2001:db8::1]:5353", "2001:db8::1"]


def test_G183_a_wildcard_answers_who_is_not_told(snapshot: Snapshot) -> None:
    """For them the name is like any other."""
    (rrset,) = ask_from("192.0.2.1", "_health.example.org", snapshot).answer

    assert read_strings(rrset) == ["wild"]


def count_queries(server: Server) -> float:
    """The sum of dns_queries_total over all its labels."""
    families = text_string_to_metric_families(server.get("/metrics")[1])
    return sum(sample.value for family in families for sample in family.samples if sample.name == "dns_queries_total")


def ask_all(server: Server, names: Sequence[str]) -> None:
    for name in names:
        for rrtype in ("TXT", "A"):
            server.ask(f"{name}.example.com", rrtype)


def test_G184_debug_names_are_not_counted_as_queries(server: Server) -> None:
    """dns_queries_total moves for other names only; the packets are counted all the same."""
    queries = count_queries(server)
    packets = server.metric("greendns_packets_total", transport="udp", outcome="debug")

    ask_all(server, ["_status", "_health", "_country"])
    assert count_queries(server) == queries
    assert server.metric("greendns_packets_total", transport="udp", outcome="debug") == packets + 6

    ask_all(server, ["www"])
    assert count_queries(server) == queries + 2
