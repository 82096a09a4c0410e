"""What is found in a MaxMind database is what maxminddb finds: the record, its prefix length, what is read of it.

Own databases of each kind, the full-size GeoLite2 City of 2018, and those of a directory in GREENDNS_TEST_GEOIP.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import random
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maxminddb.decoder import Decoder
from mmdb_writer import Encoder

from greendns.errors import ValueProblem
from greendns.mmdbrecord import WANTED, Records
from greendns.mmdbtree import ABSENT, Tree
from tests.databases import WORLD, WORLD_ASNS, asn, city, write_asn, write_city, write_database

RANDOM_ADDRESSES = 100_000
# Of the networks of a full-size database: every so-manieth, which takes some seconds.
SAMPLED_NETWORKS = 5_000

NETWORKS: dict[str, Any] = {
    **WORLD,
    "0.0.0.0/8": city("AU"),
    "255.255.255.255/32": city("NZ", subdivision="AUK", at=(-36.8, 174.8)),
    "203.0.113.7/32": city("IS"),
    "2001:db8:1::1/128": city("NO"),
    "4000::/2": city("CL"),
    "ffff::/16": city("PE", at=(-12.0, -77.0)),
}
# Where IPv4 stands once more in a tree of IPv6, as MaxMind's have it: 6to4, Teredo, mapped addresses.
ALIASES = ("2002::/16", "2001::/32", "::ffff:0:0/96")

Address = tuple[int, int]  # number, bits


@dataclass(frozen=True)
class Opened:
    """A database, as maxminddb reads it and as we do."""

    reader: Any
    tree: Tree
    records: Records
    decoder: Decoder

    @staticmethod
    def read(path: Path) -> Opened:
        content = path.read_bytes()
        # maxminddb's own Python, whose decoder can be asked about one place.
        reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
        told = reader.metadata()
        tree = Tree(content, told.node_count, told.record_size, told.ip_version)
        return Opened(reader, tree, Records(content, tree.data_start), Decoder(content, tree.data_start))


def disagreements(opened: Opened, addresses: Iterable[Address]) -> Iterator[str]:
    """What maxminddb says otherwise of an address."""
    wholes: dict[int, tuple[Any, Any]] = {}
    for number, bits in addresses:
        packed = number.to_bytes(bits // 8, "big")
        offset, prefix_length = opened.tree.find(packed)
        if offset != ABSENT and offset not in wholes:
            whole = opened.decoder.decode(opened.tree.data_start + offset)[0]
            wholes[offset] = (whole, opened.records.read(offset))
            if wholes[offset][1] != pruned(whole, WANTED):
                yield f"the record at {offset} is read as {wholes[offset][1]}"
        ours = (wholes[offset][0] if offset != ABSENT else None, prefix_length)
        address = ipaddress.IPv4Address(number) if bits == 32 else ipaddress.IPv6Address(number)
        theirs = opened.reader.get_with_prefix_len(address)
        if ours != theirs:
            yield f"{address}: {ours}, not {theirs}"


def pruned(value: Any, shape: Any) -> Any:
    """What is wanted of a decoded record: of maps these keys, of lists the first item, of values the types read."""
    if isinstance(value, dict):
        wanted = {key: shape.get(key.encode()) for key in value}
        return {key: pruned(value[key], inner) for key, inner in wanted.items() if inner is not None}
    if isinstance(value, list):
        return [None if isinstance(item, list) else pruned(item, shape) for item in value[:1]]
    is_read = isinstance(value, (str, float, int)) and not isinstance(value, bool)
    return value if is_read else None


def edges(networks: Iterable[Any]) -> Iterator[Address]:
    """First and last address of each network, and those beside it."""
    for network in networks:
        bits = network.max_prefixlen
        first, last = int(network.network_address), int(network.broadcast_address)
        yield from ((number, bits) for number in (first - 1, first, last, last + 1) if 0 <= number < 1 << bits)
        if bits == 128 and last < 1 << 32:
            yield from ((number, 32) for number in (first - 1, first, last, last + 1) if 0 <= number < 1 << 32)


def at_random(ip_version: int, count: int = RANDOM_ADDRESSES) -> Iterator[Address]:
    """Random addresses: of IPv6 half are global, some stand for an address of IPv4, the others are anywhere."""
    rng = random.Random(count)
    for number in range(count):
        if ip_version == 4 or number % 2:
            yield rng.getrandbits(32), 32
        elif number % 8 == 0:
            yield rng.getrandbits(128), 128
        elif number % 8 == 2:
            start = rng.choice((0, 0x2002 << 112, 0x20010000 << 96, 0xFFFF << 32))
            yield start | rng.getrandbits(32) << (80 if start >> 112 == 0x2002 else 0), 128
        else:
            yield 0x2 << 124 | rng.getrandbits(124) >> rng.randrange(8), 128


def assert_agrees(opened: Opened, networks: Iterable[Any]) -> None:
    version = opened.tree.ip_version
    found = [*disagreements(opened, edges(networks)), *disagreements(opened, at_random(version))]

    assert found[:5] == []


@pytest.mark.parametrize("record_size", [24, 28, 32])
@pytest.mark.parametrize("ip_version", [4, 6])
def test_our_own_databases_are_found_alike(tmp_path: Path, record_size: int, ip_version: int) -> None:
    """Nodes of each size, IPv4 alone and within IPv6."""
    networks = {name: record for name, record in NETWORKS.items() if ip_version == 6 or ":" not in name}
    opened = Opened.read(write_city(tmp_path / "city.mmdb", networks, record_size, ip_version))

    assert opened.tree.record_size == record_size
    assert_agrees(opened, [*opened_networks(opened), *map(ipaddress.ip_network, networks)])


@pytest.mark.parametrize("record_size", [24, 28, 32])
def test_aliases_of_ipv4_are_found_alike(tmp_path: Path, record_size: int) -> None:
    """Parts of the tree that several paths lead to."""
    path = write_database(tmp_path / "city.mmdb", "GeoLite2-City", NETWORKS, record_size, aliases=ALIASES)
    opened = Opened.read(path)

    assert opened.tree.find(bytes.fromhex("2002c0000201") + bytes(10))[0] == opened.tree.find(bytes((192, 0, 2, 1)))[0]
    assert_agrees(opened, [*opened_networks(opened), *map(ipaddress.ip_network, ALIASES)])


def test_numbers_of_autonomous_systems_are_found_alike(tmp_path: Path) -> None:
    """Records of another kind."""
    opened = Opened.read(write_asn(tmp_path / "asn.mmdb", {**WORLD_ASNS, "4000::/2": asn(4_294_967_295)}))

    assert_agrees(opened, opened_networks(opened))


def test_a_full_size_database_is_found_alike() -> None:
    """GeoLite2 City of the package maxminddb-geolite2: 100,000 addresses, and the edges of 5,000 networks."""
    spec = importlib.util.find_spec("_maxminddb_geolite2")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (path,) = Path(spec.submodule_search_locations[0]).glob("*.mmdb")
    opened = Opened.read(path)

    assert_agrees(opened, sampled_networks(opened))


def foreign() -> list[Path]:
    """Databases of a directory that GREENDNS_TEST_GEOIP names."""
    told = os.environ.get("GREENDNS_TEST_GEOIP")
    return sorted(Path(told).glob("*.mmdb")) if told else []


@pytest.mark.skipif(not foreign(), reason="GREENDNS_TEST_GEOIP names no directory with databases of others")
@pytest.mark.parametrize("path", foreign() or [Path("none")], ids=lambda path: path.name)
def test_foreign_databases_are_found_alike(path: Path) -> None:
    """Every network of theirs."""
    opened = Opened.read(path)

    assert_agrees(opened, opened_networks(opened))


def opened_networks(opened: Opened) -> list[Any]:
    """Every network of a database, as its reader tells them."""
    return [network for network, _ in opened.reader]


def sampled_networks(opened: Opened) -> list[Any]:
    """Networks that random addresses are in: a full-size database has millions, too many to go through."""
    networks = []
    for number, bits in at_random(6, SAMPLED_NETWORKS):
        length = opened.tree.find(number.to_bytes(bits // 8, "big"))[1]
        kind = ipaddress.IPv4Network if bits == 32 else ipaddress.IPv6Network
        networks.append(kind((number >> bits - length << bits - length, length)))
    return networks


# -- damaged records


RECORD = {**city("DK", subdivision="84", at=(55.7, 12.6)), **asn(64500), "traits": {"list": [1, {"x": "y" * 300}]}}


@given(data=st.data())
def test_a_damaged_record_is_read_or_refused(data: st.DataObject) -> None:
    """Octets changed, put in and taken out: what comes is plain and small, or one of four exceptions."""
    octets = bytearray(Encoder(cache=False).encode(RECORD) if data.draw(st.booleans()) else data.draw(st.binary()))
    for _ in range(data.draw(st.integers(0, 5))):
        at = data.draw(st.integers(0, len(octets)))
        octets[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    offset = data.draw(st.integers(0, len(octets)))

    try:
        read = Records(bytes(octets), 0).read(offset)
    except (ValueProblem, IndexError, struct.error, UnicodeDecodeError):
        return
    assert len(repr(read)) < 200 + 20 * len(octets)


def test_a_damaged_record_costs_no_more_than_its_octets() -> None:
    """Lists that are said to be of 16 million lists of as many, and maps likewise: the end of the file is soon met."""
    key = b"\xe2\x43any"
    for many in (b"\x1f\x04\xff\xff\xff", b"\xff\xff\xff\xff"):
        with pytest.raises((ValueProblem, IndexError)):
            Records(key + many * 1000, 0).read(0)


def test_a_pointer_leads_once() -> None:
    """To itself, or to another pointer, it is refused."""
    with pytest.raises(ValueProblem, match="must not lead to a pointer"):
        Records(b"\x20\x00", 0).read(0)
