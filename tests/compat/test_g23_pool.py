"""A zone as the NTP Pool writes it (G230-G233), in small: subzones, countries, aliases and vendors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.rcode
import dns.rdatatype
import pytest

from tests.serving import Server, serving

SERIAL = int(time.time())
NO_MAIL = [{"mx": ".", "preference": 0}]
DENMARK, BRITAIN, BRAZIL = "192.0.2.0/24", "198.51.100.128/25", "198.18.0.0/20"


def servers(network: str, count: int = 8) -> list[list[Any]]:
    """Servers with their netspeeds, as the pool writes them."""
    return [[f"{network}.{number}", str(1000 * number)] for number in range(1, count + 1)]


def label(network: str, **more: Any) -> dict[str, Any]:
    """A zone's label: its servers, and that it takes no mail."""
    return {"a": servers(network), "mx": NO_MAIL, **more}


ZONE = {
    "ttl": 150,
    "serial": SERIAL,
    "max_hosts": 4,
    "contact": "hostmaster.example.com",
    "logging": {"stathat": False, "stathat_api": "abc"},
    "data": {
        "": {
            **label("10.0.0"),
            "ns": {"b.ns.example.net.": None, "a.ns.example.net.": None},
            "txt": [{"txt": "NTP servers"}],
        },
        "www": {"cname": "www.example.net."},
        **{str(number): label(f"10.0.{number + 1}") for number in (0, 1, 3)},
        "2": label("10.0.3", aaaa=[[f"2001:db8::{number}", "1000"] for number in range(1, 9)]),
        "dk": label("10.1.0"),
        **{f"{number}.dk": label(f"10.1.{number + 1}") for number in range(4)},
        "europe": label("10.2.0"),
        **{f"{number}.europe": label(f"10.2.{number + 1}") for number in range(4)},
        "uk": label("10.3.0"),
        "0.uk": label("10.3.1"),
        "gb": {"alias": "uk"},
        "0.gb": {"alias": "0.uk"},
        "vendor": {"alias": ""},
        "0.vendor": {"alias": "0"},
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """One server for the module."""
    with serving(tmp_path_factory.mktemp("pool"), {"pool.example.com": ZONE}, ["--geoip", str(world)]) as running:
        yield running


def networks(server: Server, name: str, subnet: str | None = None) -> set[str]:
    """The networks that the addresses of an answer lie in: one, since targets are never mixed."""
    return {value.rpartition(".")[0] for value in server.values(name, subnet=subnet)}


def test_G230_four_different_servers_for_150_seconds(server: Server) -> None:
    """Of eight, with the zone's TTL and max_hosts."""
    (rrset,) = server.ask("pool.example.com").answer

    assert rrset.ttl == 150
    assert len({record.address for record in rrset}) == 4


def test_G230_the_serial_is_the_time_of_writing(server: Server) -> None:
    """SOA with ten times the TTL, and the first of the name servers in the file (G082, G084)."""
    (rrset,) = server.ask("pool.example.com", "SOA").answer

    assert rrset.ttl == 1500
    assert rrset[0].serial == SERIAL
    assert rrset[0].mname.to_text() == "b.ns.example.net."


def test_G230_name_servers_are_an_object_of_nulls(server: Server) -> None:
    """Both are answered."""
    assert sorted(server.values("pool.example.com", "NS")) == ["a.ns.example.net.", "b.ns.example.net."]


@pytest.mark.parametrize("name", ["", "0.", "dk.", "2.dk.", "gb.", "vendor.", "0.vendor."])
def test_G230_no_name_takes_mail(server: Server, name: str) -> None:
    """The null MX of RFC 7505, through aliases too."""
    assert server.values(f"{name}pool.example.com", "MX") == ["0 ."]


def test_G230_the_text_is_a_list_of_objects(server: Server) -> None:
    """One TXT."""
    assert server.values("pool.example.com", "TXT") == ['"NTP servers"']


@pytest.mark.parametrize(
    ("name", "subnet", "network"),
    [
        ("", None, "10.0.0"),
        ("0.", None, "10.0.1"),
        ("3.", BRAZIL, "10.0.4"),
        ("", DENMARK, "10.1.0"),
        ("2.", DENMARK, "10.1.3"),
        ("dk.", BRAZIL, "10.1.0"),
        ("2.dk.", BRAZIL, "10.1.3"),
        ("1.", BRITAIN, "10.2.2"),
        ("europe.", BRAZIL, "10.2.0"),
    ],
)
def test_G231_zone_and_subzones_are_answered_by_country_then_continent(
    server: Server, name: str, subnet: str | None, network: str
) -> None:
    """A client gets its country's servers of the subzone that it asks for, else its continent's, else the world's."""
    assert networks(server, f"{name}pool.example.com", subnet) == {network}


def test_G231_ipv6_is_in_subzone_2_alone(server: Server) -> None:
    """AAAA there, NODATA in the others; also for a client whose country has A only."""
    assert len(server.values("2.pool.example.com", "AAAA")) == 4
    assert len(server.values("2.pool.example.com", "AAAA", subnet=DENMARK)) == 4
    for name in ("pool.example.com", "0.pool.example.com", "2.dk.pool.example.com"):
        answer = server.ask(name, "AAAA")
        assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
        assert answer.authority[0].rdtype == dns.rdatatype.SOA


@pytest.mark.parametrize(
    ("name", "subnet", "network"),
    [
        ("gb.", None, "10.3.0"),
        ("0.gb.", None, "10.3.1"),
        ("", BRITAIN, "10.3.0"),
        ("0.", BRITAIN, "10.3.1"),
        ("vendor.", None, "10.0.0"),
        ("vendor.", DENMARK, "10.1.0"),
        ("vendor.", BRITAIN, "10.3.0"),
        ("0.vendor.", None, "10.0.1"),
        ("0.vendor.", DENMARK, "10.1.1"),
        ("0.vendor.", BRITAIN, "10.3.1"),
    ],
)
def test_G232_aliases_lead_on_by_country(server: Server, name: str, subnet: str | None, network: str) -> None:
    """gb is uk; a vendor's names are the zone's own, with all their countries."""
    assert networks(server, f"{name}pool.example.com", subnet) == {network}


def test_G232_an_alias_has_ttl_and_max_hosts_of_its_target(server: Server) -> None:
    """Four, for 150 seconds, under the name that was asked for."""
    (rrset,) = server.ask("0.vendor.pool.example.com").answer

    assert (len(rrset), rrset.ttl, rrset.name.to_text()) == (4, 150, "0.vendor.pool.example.com.")


def test_G233_the_monitor_reads_soa_and_status(server: Server) -> None:
    """The file's serial, by which it tells how old the zone is, and `_status` as a TXT of JSON."""
    (soa,) = server.ask("pool.example.com", "SOA").answer[0]
    (status,) = server.ask("_status.pool.example.com", "TXT").answer[0]

    assert soa.serial == SERIAL
    assert set(json.loads(status.strings[0])) == {"h", "id", "up", "v"}
