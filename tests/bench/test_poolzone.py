"""The benchmark's zone is one that can be served, and has the shape that its figures speak of."""

from __future__ import annotations

import json
import random
from collections import Counter
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import dns.message
import dns.rdatatype
import pytest

from greendns import loader
from greendns.zone import find_matches
from tests.bench.poolzone import (
    BIG_ZONE_SERVERS,
    COUNTRIES,
    IPV4_NETWORKS,
    IPV6_NETWORK,
    MIX,
    ORIGIN,
    SUBZONES,
    Pool,
    make_questions,
    make_servers,
    write_pool,
)

SERVERS = 600


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return write_pool(tmp_path_factory.mktemp("pool"), servers=SERVERS, queries=2000)


@pytest.fixture(scope="module")
def data(pool: Pool) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((pool.zones / f"{ORIGIN}.json").read_text())
    labels: dict[str, Any] = document["data"]
    return labels


def test_the_zone_loads_without_a_problem(pool: Pool) -> None:
    """No errors and no warnings; the names of a vendor lead to the pool's."""
    (loaded,) = loader.load_files([pool.zones / f"{ORIGIN}.json"])

    assert (loaded.errors, loaded.warnings) == ((), ())
    assert loaded.zone is not None
    image = loaded.zone.image
    match = find_matches(image, loaded.zone.find(b"\x012\x07vendor3"), dns.rdatatype.AAAA, (b"@",))[0]
    assert match.label_text() == "2"


def test_the_servers_are_in_sixty_countries_of_six_continents(data: dict[str, Any]) -> None:
    """Each label of them is there, and all servers are in the whole pool."""
    countries = [word.partition(":")[0] for words in COUNTRIES.values() for word in words.split()]

    assert (len(COUNTRIES), len(set(countries))) == (6, 60)
    assert {*COUNTRIES, *countries} < set(data)
    assert len(data[""]["a"]) == SERVERS
    assert len(data["de"]["a"]) > 10 * len(data["hr"]["a"]) > 0


def test_a_server_of_a_big_zone_is_in_one_sub_zone(data: dict[str, Any]) -> None:
    """Those of a small zone are in all four."""
    for zone in ("", "europe", "de", "hr"):
        members = [tuple(record) for record in data[zone]["a"]]
        labels = [f"{subzone}.{zone}".strip(".") for subzone in SUBZONES]
        parts = [tuple(record) for label in labels for record in data[label].get("a", [])]
        expected = members if len(members) >= BIG_ZONE_SERVERS else members * len(SUBZONES)
        assert sorted(expected) == sorted(parts)


def test_ipv6_is_in_the_zone_itself_and_in_its_sub_zone_2(data: dict[str, Any]) -> None:
    """As in the pool, where a client has to ask for a 2."""
    assert {"", "2"} == {label for label in ("", *SUBZONES) if "aaaa" in data[label]}
    assert {"us", "2.us"} == {label for label in ("us", "0.us", "1.us", "2.us", "3.us") if "aaaa" in data[label]}


def test_every_address_is_from_a_network_that_belongs_to_nobody(data: dict[str, Any]) -> None:
    """For benchmarks (RFC 2544) and for documentation; none is there twice, and every weight is 1 to 10,000."""
    ipv4 = [IPv4Address(address) for address, _ in data[""]["a"]]
    ipv6 = [IPv6Address(address) for address, _ in data[""]["aaaa"]]

    assert all(any(address in network for network in IPV4_NETWORKS) for address in ipv4)
    assert all(address in IPV6_NETWORK for address in ipv6)
    assert len({*ipv4, *ipv6}) == len(ipv4) + len(ipv6)
    assert {True} == {1 <= weight <= 10_000 for _, weight in data[""]["a"]}


def test_the_full_zone_has_27000_addresses() -> None:
    """4,500 servers, most of them in six labels."""
    servers = make_servers(4500, random.Random(1))
    big = [zone for zone, count in Counter(server.country for server in servers).items() if count >= BIG_ZONE_SERVERS]
    records = sum(6 if server.country in big else 9 for server in servers)

    assert len({server.ipv4 for server in servers}) == 4500
    assert 27_000 <= records <= 28_500


def test_the_questions_come_in_the_mix() -> None:
    """Within three parts of a hundred; three A to one AAAA."""
    servers = make_servers(SERVERS, random.Random(1))
    kinds: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for name, rrtype in make_questions(5000, servers, random.Random(2)):
        below = name.removesuffix(ORIGIN).strip(".")
        types[rrtype] += 1
        if rrtype not in ("A", "AAAA"):
            kinds["other"] += 1
        elif below in ("", *SUBZONES):
            kinds["pool"] += 1
        else:
            kinds["country" if below[-2:] in {server.country for server in servers} else "absent"] += 1

    assert {kind: pytest.approx(part, abs=3) for kind, part in MIX.items()} == {
        kind: count / 50 for kind, count in kinds.items()
    }
    assert types["A"] / types["AAAA"] == pytest.approx(3, abs=0.4)


def test_the_packets_ask_what_the_text_asks(pool: Pool) -> None:
    """One for each line, with EDNS in most and a client's /24 in nearly a third."""
    octets = pool.packets.read_bytes()
    messages = []
    while octets:
        end = 2 + int.from_bytes(octets[:2], "big")
        messages.append(dns.message.from_wire(octets[2:end]))
        octets = octets[end:]

    asked = [f"{message.question[0].name} {dns.rdatatype.to_text(message.question[0].rdtype)}" for message in messages]
    assert pool.text.read_text().splitlines() == [words.replace(". ", " ") for words in asked]
    assert sum(message.edns == 0 for message in messages) / len(messages) == pytest.approx(0.79, abs=0.05)
    assert sum(bool(message.options) for message in messages) / len(messages) == pytest.approx(0.30, abs=0.05)


def test_a_seed_gives_the_same_files_again(tmp_path: Path, pool: Pool) -> None:
    """Octet for octet; another seed does not."""
    again = write_pool(tmp_path / "again", servers=SERVERS, queries=2000)
    other = write_pool(tmp_path / "other", servers=SERVERS, queries=2000, seed=2)

    for file in (pool.text, pool.packets, pool.zones / f"{ORIGIN}.json"):
        assert file.read_bytes() == _twin(file, pool, again).read_bytes() != _twin(file, pool, other).read_bytes()


def _twin(file: Path, pool: Pool, other: Pool) -> Path:
    return other.text.parent / file.relative_to(pool.text.parent)
