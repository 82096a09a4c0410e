"""greendns.access: who is in a list of prefixes."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.access import EVERYBODY, NOBODY, Prefixes, make_prefixes, parse_prefix
from greendns.errors import ValueProblem
from greendns.settingkinds import read_prefixes

Network = IPv4Network | IPv6Network


def has(prefixes: Prefixes | None, address: str) -> bool:
    assert prefixes is not None
    return prefixes.has(ip_address(address).packed)


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        ("192.0.1.255", False),
        ("192.0.2.0", True),
        ("192.0.2.255", True),
        ("192.0.3.0", False),
        ("198.51.100.7", True),
        ("198.51.100.8", False),
        ("2001:db8::", True),
        ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", True),
        ("2001:db9::", False),
        ("::", False),
        ("255.255.255.255", False),
        ("::ffff:192.0.2.1", True),
        ("::ffff:192.0.3.1", False),
        ("::192.0.2.1", False),
    ],
)
def test_an_address_is_in_a_prefix_from_its_first_to_its_last(address: str, is_in: bool) -> None:
    """IPv4 in IPv4 prefixes, also where it is mapped; IPv6 in IPv6 ones."""
    prefixes = make_prefixes(["198.51.100.7", "192.0.2.0/24", "2001:db8::/32"])
    assert has(prefixes, address) is is_in


@pytest.mark.parametrize(
    ("texts", "ipv4", "ipv6"), [(["0.0.0.0/0"], True, False), (["::/0"], False, True), ([], False, False)]
)
def test_all_of_ipv4_and_all_of_ipv6_are_two_prefixes(texts: list[str], ipv4: bool, ipv6: bool) -> None:
    """::/0 has no IPv4 address, mapped or not, and an empty list has nobody."""
    prefixes = make_prefixes(texts)
    told = [has(prefixes, address) for address in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1")]
    assert told == [ipv4, ipv4, ipv6]


@pytest.mark.parametrize("texts", [EVERYBODY, ["::/1", "8000::/1", "0.0.0.0/1", "128.0.0.0/1", "192.0.2.0/24"]])
def test_who_lets_everybody_in_need_not_be_asked(texts: list[str]) -> None:
    """None: however it is written."""
    assert make_prefixes(texts) is None


def test_nobody_is_nobody() -> None:
    """Of either family."""
    assert not has(NOBODY, "0.0.0.0")
    assert not has(NOBODY, "::1")


def test_a_mapped_prefix_is_one_of_ipv4() -> None:
    """As a mapped address is an IPv4 address."""
    prefixes = make_prefixes(["::ffff:192.0.2.0/120"])
    assert has(prefixes, "192.0.2.9")
    assert not has(prefixes, "192.0.3.9")


def networks_of(kind: type[IPv4Network] | type[IPv6Network], bits: int) -> st.SearchStrategy[Network]:
    """Prefixes near one another, so that they touch and overlap; none as wide as to hold mapped addresses."""
    start = 0xC0000000 if bits == 32 else 0x20010DB8 << 96

    def network(at: int, length: int) -> Network:
        return kind((start + (at << (bits - 24 if bits == 32 else 8)), length), strict=False)

    return st.builds(network, st.integers(0, 255), st.integers(16, bits))


@given(
    st.lists(networks_of(IPv4Network, 32) | networks_of(IPv6Network, 128), max_size=40),
    st.lists(st.integers(0, 39), max_size=10),
    st.integers(-1, 1),
)
def test_a_list_says_what_each_of_its_prefixes_says(networks: list[Network], at: list[int], step: int) -> None:
    """At both ends of each prefix, and just beyond them."""
    prefixes = make_prefixes([str(each) for each in networks])
    assert prefixes is not None
    for network in [networks[index] for index in at if index < len(networks)]:
        for end in (network.network_address, network.broadcast_address):
            address = type(end)(int(end) + step) if 0 <= int(end) + step < 1 << end.max_prefixlen else end
            assert prefixes.has(address.packed) is any(address in each for each in networks)


def test_a_long_list_is_as_right_as_a_short_one() -> None:
    """Every second /24 of ten thousand, and none between them."""
    prefixes = make_prefixes([f"10.{number >> 7}.{number % 128 * 2}.0/24" for number in range(10_000)])
    places = [(number >> 8, number & 255) for number in range(0, 20_000, 7)]

    assert all(has(prefixes, f"10.{high}.{low}.5") is (low % 2 == 0) for high, low in places)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "192.0.2.0/33",
        "192.0.2/24",
        "192.0.2.0/",
        "192.0.2.0/-1",
        "192.0.2.0/255.255.255.0",
        "192.0.2.0/024x",
        "2001:db8::/129",
        "fe80::1%eth0",
        "fe80::%1/10",
        "[::1]",
        "::1/128 ",
        "*",
        "127.0.0.1:53",
        "٣.0.0.0/8",
    ],
)
def test_what_is_no_prefix_is_told(text: str) -> None:
    """ipaddress takes some of these; a list of who may do what takes no guesses."""
    with pytest.raises(ValueProblem, match=r"^must be ADDRESS/LENGTH, such as"):
        parse_prefix(text)


def test_bits_beyond_the_length_are_a_mistake() -> None:
    """Is the length wrong, or the address?"""
    with pytest.raises(ValueProblem, match=r'as 192\.0\.2\.0/24 has none, found "192\.0\.2\.1/24"'):
        parse_prefix("192.0.2.1/24")


def test_a_setting_tells_which_prefix_is_wrong() -> None:
    """Counted from one, with its value."""
    with pytest.raises(ValueProblem, match=r'^prefix 2 must be ADDRESS/LENGTH, .*, found "nobody"$'):
        read_prefixes(["192.0.2.0/24", "nobody"])


@pytest.mark.parametrize("value", ["192.0.2.0/24", [1], None, {"a": 1}])
def test_a_setting_is_a_list_of_texts(value: object) -> None:
    """Not one text: that would be a list of its characters."""
    with pytest.raises(ValueProblem, match="must be a list of prefixes"):
        read_prefixes(value)


def test_an_address_is_a_prefix_of_full_length() -> None:
    """Of either family."""
    assert parse_prefix("192.0.2.1") == IPv4Network("192.0.2.1/32")
    assert parse_prefix("2001:db8::1") == IPv6Network((IPv6Address("2001:db8::1"), 128))
