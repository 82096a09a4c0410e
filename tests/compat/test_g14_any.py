"""G140-G142: what ANY is answered with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from tests.serving import Server, serving

# Clients by country, as tests.databases.WORLD has them.
DENMARK = "192.0.2.0/24"
AMERICA = "203.0.113.0/26"
JAPAN = "203.0.113.192/26"

MAIL = [{"mx": "mail.example.net.", "preference": 10}]
TEN = [[f"192.0.2.{last}", last] for last in range(1, 11)]
ZONE = {
    "max_hosts": 2,
    "data": {
        "": {"ns": ["ns1.example.net.", "ns2.example.net."], "a": [["192.0.2.100"]], "txt": "apex"},
        "www": {"a": TEN, "aaaa": [["2001:db8::1"]], "mx": MAIL, "txt": ["one", "two"], "caa": '0 issue ";"'},
        "www.us": {"a": [["192.0.2.200"]], "srv": [{"target": "www.example.net.", "port": 80}]},
        "aliased": {"alias": "pool", "a": [["192.0.2.50"]], "mx": MAIL},
        "pool": {"a": [["192.0.2.51"]], "txt": "pool"},
        "toapex": {"alias": ""},
        "cname": {"cname": "www", "txt": "hidden", "a": [["192.0.2.52"]]},
        "geo.us": {"a": [["192.0.2.60"]], "mx": MAIL},
        "geo.north-america": {"a": [["192.0.2.61"]], "txt": "North America"},
        "geo.dk": {"cname": "www", "txt": "hidden"},
        "geo.asia": {"alias": "pool"},
        # The plain label is there as a parent only.
        "parent.us": {"a": [["192.0.2.62"]]},
        "below.parent": {"a": [["192.0.2.63"]]},
        "none": {"max_hosts": 0, "a": [["192.0.2.66"]], "txt": "text"},
        "lost": {"alias": "nowhere"},
        "lostmx": {"alias": "nowhere", "mx": MAIL},
        "empty": {"a": []},
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """One server for all questions."""
    with serving(tmp_path_factory.mktemp("any"), {"example.com": ZONE}, ["--geoip", str(world)]) as running:
        yield running


def ask_any(server: Server, name: str, subnet: str | None = None) -> dns.message.Message:
    """The answer to ANY, over TCP so that nothing is cut."""
    return server.ask(f"{name}.example.com" if name else "example.com", "ANY", subnet=subnet, tcp=True)


def records(server: Server, name: str, subnet: str | None = None) -> dict[str, list[str]]:
    """Type -> values of an ANY answer."""
    answer = ask_any(server, name, subnet)
    return {dns.rdatatype.to_text(rrset.rdtype): sorted(rdata.to_text() for rdata in rrset) for rrset in answer.answer}


def test_G140_any_has_every_type_of_the_label(server: Server) -> None:
    """Each type once, under the name as asked."""
    answer = ask_any(server, "wWw")

    assert sorted(dns.rdatatype.to_text(rrset.rdtype) for rrset in answer.answer) == ["A", "AAAA", "CAA", "MX", "TXT"]
    assert {rrset.name.to_text() for rrset in answer.answer} == {"wWw.example.com."}
    assert answer.authority == []


def test_G140_each_type_is_picked_from_as_ever(server: Server) -> None:
    """Two addresses of ten by weight, and every text."""
    seen = records(server, "www")

    assert len(seen["A"]) == 2
    assert set(seen["A"]) <= {address for address, _ in TEN}
    assert seen["TXT"] == ['"one"', '"two"']


def test_G140_addresses_of_any_differ_from_answer_to_answer(server: Server) -> None:
    """The pick is a new one each time."""
    assert len({tuple(records(server, "www")["A"]) for _ in range(30)}) > 1


@pytest.mark.parametrize("subnet", [None, AMERICA, JAPAN])
def test_G140_the_plain_label_answers_for_all(server: Server, subnet: str | None) -> None:
    """Whatever variants there are."""
    assert set(records(server, "www", subnet)) == {"A", "AAAA", "CAA", "MX", "TXT"}
    assert "192.0.2.200" not in records(server, "www", subnet)["A"]


def test_G140_at_the_apex_the_soa_is_among_them(server: Server) -> None:
    """With the name servers and the rest."""
    seen = records(server, "")

    assert set(seen) == {"SOA", "NS", "A", "TXT"}
    assert seen["NS"] == ["ns1.example.net.", "ns2.example.net."]


def test_G140_an_alias_comes_first(server: Server) -> None:
    """The target's records, and of the label's own the types that the target has not."""
    assert records(server, "aliased") == {
        "A": ["192.0.2.51"],
        "TXT": ['"pool"'],
        "MX": ["10 mail.example.net."],
    }


def test_G140_an_alias_to_the_apex_has_no_soa_and_no_ns(server: Server) -> None:
    """As with any other question (G132)."""
    assert records(server, "toapex") == {"A": ["192.0.2.100"], "TXT": ['"apex"']}


def test_G140_a_cname_stands_alone(server: Server) -> None:
    """Without what stands beside it, and without its target's records (RFC 1034 section 4.3.2 step 3a)."""
    assert records(server, "cname") == {"CNAME": ["www.example.com."]}


def test_G140_a_type_without_a_record_left_is_left_out(server: Server) -> None:
    """max_hosts 0 leaves no address, and the text is still there."""
    assert records(server, "none") == {"TXT": ['"text"']}


def test_G141_a_name_in_variants_only_answers_the_records_of_the_clients_targets(server: Server) -> None:
    """Per type the nearest target that has it; NXDOMAIN where there is none; geodns answered nothing."""
    assert records(server, "geo", AMERICA) == {
        "A": ["192.0.2.60"],
        "MX": ["10 mail.example.net."],
        "TXT": ['"North America"'],
    }
    assert records(server, "geo", DENMARK) == {"CNAME": ["www.example.com."]}
    assert records(server, "geo", JAPAN) == {"A": ["192.0.2.51"], "TXT": ['"pool"']}


def test_G141_a_client_without_a_variant_gets_nxdomain(server: Server) -> None:
    """As for any other type (G116)."""
    answer = ask_any(server, "geo", "198.18.0.0/20")

    assert (answer.rcode(), answer.answer) == (dns.rcode.NXDOMAIN, [])


def test_G141_an_empty_parent_does_not_hide_the_variants(server: Server) -> None:
    """A label that is only there because of a longer one has nothing to say itself."""
    assert records(server, "parent", AMERICA) == {"A": ["192.0.2.62"]}
    assert ask_any(server, "parent", JAPAN).rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("name", ["lost", "empty"])
def test_G142_any_without_records_is_nodata(server: Server, name: str) -> None:
    """An alias to nowhere shows nothing of itself, above all no MF record."""
    answer = ask_any(server, name)

    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
    assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]


def test_G142_an_alias_to_nowhere_still_has_its_own_records(server: Server) -> None:
    """Its MX and nothing else."""
    assert records(server, "lostmx") == {"MX": ["10 mail.example.net."]}
