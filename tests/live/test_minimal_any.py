"""With `dns.any` = "minimal" type ANY gets one record that stands for all (RFC 8482 section 4.2)."""

from __future__ import annotations

from collections.abc import Iterator

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from tests.serving import Server, serving, wait_until

ZONE = {
    "data": {
        "": {"ns": "ns1.example.net."},
        "www": {"a": [["192.0.2.1"]], "txt": "x" * 200},
        "alias": {"alias": "www"},
        "cname": {"cname": "www"},
        "geo.dk": {"a": [["192.0.2.2"]]},
        "*.wild": {"a": [["192.0.2.3"]]},
        "empty.between": {"a": [["192.0.2.4"]]},
        "cut": {"ns": "ns1.example.net."},
    }
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all questions."""
    directory = tmp_path_factory.mktemp("minimal")
    (directory / "greendns.toml").write_text('[dns]\nany = "minimal"\n')
    with serving(directory, {"example.com": ZONE}, workers=0) as running:
        yield running


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("name", ["example.com", "wWw.example.com", "alias.example.com", "a.wild.example.com"])
def test_a_name_with_records_gets_one_hinfo(server: Server, name: str, tcp: bool) -> None:
    """Under the name as asked, over both transports."""
    answer = server.ask(name, "ANY", tcp=tcp)
    (rrset,) = answer.answer

    assert rrset.to_text() == f'{name}. 3789 IN HINFO "RFC8482" ""'
    assert answer.flags & dns.flags.AA
    assert answer.authority == []


def test_a_cname_is_told(server: Server) -> None:
    """No other record may stand beside it."""
    assert server.values("cname.example.com", "ANY") == ["www.example.com."]


@pytest.mark.parametrize(
    ("name", "rcode"),
    [
        ("nope.example.com", dns.rcode.NXDOMAIN),
        ("geo.example.com", dns.rcode.NXDOMAIN),
        ("between.example.com", dns.rcode.NOERROR),
    ],
)
def test_where_there_is_nothing_nothing_is_made_up(server: Server, name: str, rcode: int) -> None:
    """A name that does not exist, or not for this client, or that only has names below."""
    answer = server.ask(name, "ANY")

    assert (answer.rcode(), answer.answer) == (rcode, [])
    assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]


def test_a_delegation_is_a_delegation(server: Server) -> None:
    """ANY at a cut is a referral, as any type but DS."""
    answer = server.ask("cut.example.com", "ANY")

    assert answer.answer == []
    assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.NS]


def test_other_types_are_answered_as_ever(server: Server) -> None:
    """HINFO itself among them: the zone has none."""
    assert server.values("www.example.com") == ["192.0.2.1"]
    assert server.values("www.example.com", "HINFO") == []


def test_a_reload_takes_it(server: Server) -> None:
    """And back again all records are told."""
    place = server.zones.parent / "greendns.toml"
    place.write_text("")
    wait_until(lambda: len(server.ask("www.example.com", "ANY").answer) == 2, "all records are told")
    place.write_text('[dns]\nany = "minimal"\n')
    wait_until(lambda: len(server.ask("www.example.com", "ANY").answer) == 1, "one record is told")
    assert server.values("www.example.com", "ANY") == ['"RFC8482" ""']
