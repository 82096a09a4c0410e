"""The search tree agrees with maxminddb, and a corrupt one does no harm."""

from __future__ import annotations

import ipaddress
import random
from pathlib import Path
from typing import Any

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maxminddb.decoder import Decoder

from greendns.errors import ValueProblem
from greendns.mmdbtree import ABSENT, SEPARATOR_OCTETS, Tree
from tests.databases import write_database

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

RECORD_SIZES = (24, 28, 32)
V4_NETWORKS = ("0.0.0.0/8", "192.0.2.0/24", "192.0.2.128/25", "198.18.0.0/15", "203.0.113.7/32", "255.255.255.255/32")
V6_NETWORKS = ("2001:db8::/32", "2001:db8:1::/48", "2001:db8:1::1/128", "4000::/2", "ffff::/16")


def _write(path: Path, networks: tuple[str, ...], record_size: int, ip_version: int) -> Path:
    return write_database(path, "Test", {network: {"is": network} for network in networks}, record_size, ip_version)


def _tree(reader: maxminddb.Reader, content: bytes) -> Tree:
    metadata = reader.metadata()
    return Tree(content, metadata.node_count, metadata.record_size, metadata.ip_version)


def _edges(networks: tuple[str, ...]) -> list[Address]:
    """First and last address of each network, and what lies beside it."""
    edges: list[Address] = []
    for network in map(ipaddress.ip_network, networks):
        first, last = int(network[0]), int(network[-1])
        kind = type(network[0])
        numbers = (number for number in (first - 1, first, last, last + 1) if 0 <= number < 1 << kind(0).max_prefixlen)
        edges.extend(map(kind, numbers))
    return edges


def _scattered(seed: int, ip_version: int) -> list[Address]:
    """Random addresses, half of the IPv6 ones where the networks are."""
    rng = random.Random(seed)
    addresses: list[Address] = [ipaddress.IPv4Address(rng.getrandbits(32)) for _ in range(300)]
    if ip_version == 6:
        addresses += [ipaddress.IPv6Address(rng.getrandbits(128)) for _ in range(150)]
        addresses += [ipaddress.IPv6Address(0x20010DB8 << 96 | rng.getrandbits(80)) for _ in range(150)]
    return addresses


def _assert_agrees(path: Path, addresses: list[Address]) -> None:
    content = path.read_bytes()
    with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as reader:
        tree = _tree(reader, content)
        expected = [reader.get_with_prefix_len(address) for address in addresses]

    assert expected == [_look_up(tree, content, address) for address in addresses]


def _look_up(tree: Tree, content: bytes, address: Address) -> tuple[Any, int]:
    offset, prefix_length = tree.find(address.packed)
    if offset == ABSENT:
        return None, prefix_length
    return Decoder(content, tree.data_start).decode(tree.data_start + offset)[0], prefix_length


def _small_tree(records: list[int], ip_version: int = 4, data: bytes = b"data") -> Tree:
    """A tree of 24 bits from its records, two for each node."""
    nodes = b"".join([record.to_bytes(3, "big") for record in records])
    return Tree(nodes + bytes(SEPARATOR_OCTETS) + data, len(records) // 2, 24, ip_version)


@pytest.mark.parametrize("record_size", RECORD_SIZES)
@pytest.mark.parametrize("ip_version", [4, 6])
def test_value_and_prefix_length_are_those_of_maxminddb(tmp_path: Path, record_size: int, ip_version: int) -> None:
    """Present or absent, at the edges of networks or anywhere: the same record, the same prefix length."""
    networks = V4_NETWORKS if ip_version == 4 else V4_NETWORKS + V6_NETWORKS
    path = _write(tmp_path / "test.mmdb", networks, record_size, ip_version)

    _assert_agrees(path, _edges(networks) + _scattered(record_size, ip_version))


@pytest.mark.parametrize("record_size", RECORD_SIZES)
def test_record_sizes_are_those_asked_for(tmp_path: Path, record_size: int) -> None:
    """The databases of these tests really have three sizes of nodes."""
    path = _write(tmp_path / "test.mmdb", V4_NETWORKS, record_size, 4)

    with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as reader:
        assert record_size == reader.metadata().record_size


@pytest.mark.parametrize("record_size", RECORD_SIZES)
def test_both_records_of_a_node_are_read_with_all_their_bits(record_size: int) -> None:
    """Records with different octets and the highest bits set come out as they were written."""
    left, right = (0xFEDCBA98 >> (32 - record_size), 0x89ABCDEF >> (32 - record_size))
    node = ((left << record_size) | right).to_bytes(record_size // 4, "big")
    if record_size == 28:
        # The high four bits of both share the octet in the middle.
        middle = (left >> 24) << 4 | right >> 24
        node = (left & 0xFFFFFF).to_bytes(3, "big") + bytes([middle]) + (right & 0xFFFFFF).to_bytes(3, "big")

    tree = Tree(node + bytes(SEPARATOR_OCTETS), 1, record_size, 4)

    assert (left, right) == (tree.record(0, 0), tree.record(0, 1))


def test_prefix_length_counts_in_the_family_of_the_address(tmp_path: Path) -> None:
    """192.0.2.0/24 is a /24 in a tree of IPv6 too, and a /120 if asked for as an IPv6 address."""
    path = _write(tmp_path / "test.mmdb", ("192.0.2.0/24",), 24, 6)
    with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as reader:
        tree = _tree(reader, path.read_bytes())

    assert tree.find(bytes([192, 0, 2, 1]))[1] == 24
    assert tree.find(bytes(12) + bytes([192, 0, 2, 1]))[1] == 120


@pytest.mark.parametrize("network", ["2001:db8::/32", "::/64"])
def test_ipv4_has_prefix_length_0_where_its_path_ends_early(tmp_path: Path, network: str) -> None:
    """All of IPv4 has one answer: absent without a network of IPv4, and the one that covers ::/96."""
    path = _write(tmp_path / "test.mmdb", (network,), 24, 6)

    _assert_agrees(path, [ipaddress.IPv4Address("192.0.2.1"), ipaddress.IPv4Address("255.255.255.255")])
    with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as reader:
        assert _tree(reader, path.read_bytes()).find(bytes([192, 0, 2, 1]))[1] == 0


def test_an_ipv6_address_is_not_in_a_tree_of_ipv4(tmp_path: Path) -> None:
    """maxminddb raises here; a look-up has only an address without an answer."""
    path = _write(tmp_path / "test.mmdb", V4_NETWORKS, 24, 4)
    with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as reader:
        tree = _tree(reader, path.read_bytes())

    assert tree.find(bytes(16)) == (ABSENT, 0)


@pytest.mark.parametrize("octets", [0, 3, 5, 15, 17])
def test_an_address_of_another_length_is_absent(octets: int) -> None:
    """Addresses have 4 or 16 octets."""
    assert _small_tree([17, 17], ip_version=6).find(bytes(octets)) == (ABSENT, 0)


def test_a_tree_that_loops_ends_with_the_address() -> None:
    """A node that points to itself is walked once for each bit and no further."""
    tree = _small_tree([0, 0], ip_version=6)

    assert tree.find(bytes(16)) == (ABSENT, 128)
    assert tree.find(bytes(4)) == (ABSENT, 32)


@pytest.mark.parametrize(
    ("record", "offset"), [(1, ABSENT), (2, ABSENT), (16, ABSENT), (17, 0), (20, 3), (21, ABSENT), (0xFFFFFF, ABSENT)]
)
def test_a_record_counts_only_if_it_points_into_the_data_section(record: int, offset: int) -> None:
    """One node, 16 octets of separator, 4 octets of data: 17 to 20 are its places."""
    assert (offset, 1) == _small_tree([record, 1], data=b"data").find(bytes(4))


@pytest.mark.parametrize(
    ("node_count", "record_size", "ip_version", "expected"),
    [
        (0, 24, 4, "node_count"),
        (-1, 24, 4, "node_count"),
        (1, 25, 4, "record_size"),
        (1, 24, 5, "ip_version"),
        (2, 24, 4, "needs 28 octets"),
        (2**32, 32, 6, "needs"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(node_count: int, record_size: int, ip_version: int, expected: str) -> None:
    """Every number of the metadata is checked against the others and the file's size."""
    with pytest.raises(ValueProblem, match=expected):
        Tree(bytes(6 + SEPARATOR_OCTETS), node_count, record_size, ip_version)


def test_a_tree_without_its_separator_is_refused() -> None:
    """Metadata of one file at the end of another: 16 zero octets are not where it says."""
    with pytest.raises(ValueProblem, match="16 zero octets"):
        Tree(bytes(6) + b"\x01" * SEPARATOR_OCTETS, 1, 24, 4)


@given(
    content=st.binary(min_size=16, max_size=160),
    record_size=st.sampled_from(RECORD_SIZES),
    ip_version=st.sampled_from([4, 6]),
    address=st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16)),
)
def test_no_tree_sends_an_address_out_of_the_data_section(
    content: bytes, record_size: int, ip_version: int, address: bytes
) -> None:
    """Whatever the nodes say: an offset is within the data, a prefix length within the address."""
    node_count = len(content) // (record_size // 4)
    nodes = content[: node_count * (record_size // 4)]
    tree = Tree(nodes + bytes(SEPARATOR_OCTETS) + b"data", node_count, record_size, ip_version)

    offset, prefix_length = tree.find(address)

    assert ABSENT <= offset < len(b"data")
    assert 0 <= prefix_length <= 8 * len(address)


@given(st.data())
def test_records_near_the_edges_keep_within_the_data_section(data: st.DataObject) -> None:
    """Small records make for paths through many nodes, loops and pointers just inside and outside."""
    node_count = data.draw(st.integers(1, 12))
    record = st.integers(0, node_count + SEPARATOR_OCTETS + 5)
    tree = _small_tree(data.draw(st.lists(record, min_size=2 * node_count, max_size=2 * node_count)), ip_version=6)

    offset, prefix_length = tree.find(data.draw(st.binary(min_size=16, max_size=16)))

    assert ABSENT <= offset < len(b"data")
    assert 0 <= prefix_length <= 128
