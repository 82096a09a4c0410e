"""Targets come nearest first and are those of geodns; the scope is what they needed, and no longer."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from greendns import geoip
from greendns.errors import ValueProblem
from greendns.geography import EMPTY_GEO, Database, Geo, Kind
from greendns.levels import ANYONE, ASN, CLOSEST, CONTINENT, COUNTRY, IP, REGION, REGION_GROUP
from greendns.targeting import (
    Location,
    address_target_prefix,
    address_targets,
    is_locatable,
    level_of_target,
    locate,
    parse_targeting,
    scope_prefix,
)

EVERYTHING = IP | ASN | REGION | REGION_GROUP | COUNTRY | CONTINENT | ANYONE

CALIFORNIA = "203.0.113.1"
DENMARK = "192.0.2.1"
UNKNOWN = "198.51.99.1"


@pytest.fixture(scope="module")
def geo(world: Path) -> Geo:
    """All three databases of the made-up world."""
    return Geo(*[database(world, kind) for kind in geoip.KINDS])


def database(world: Path, kind: Kind) -> Database:
    return geoip.open_database(world / f"GeoLite2-{kind}.mmdb", kind)


def packed(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def targets(text: str, levels: int, geo: Geo, wants_coordinates: bool = False) -> list[str]:
    """The targets of an address in a zone that targets `levels`."""
    location = locate(packed(text), True, levels, wants_coordinates, geo)
    return [target.decode() for target in location.targets]


# -- what a zone file says


def test_G045_the_order_of_words_is_irrelevant() -> None:
    """Each word is one level."""
    assert parse_targeting("@ country continent") == parse_targeting("continent @ country")
    assert parse_targeting("@ continent country regiongroup region asn ip") == EVERYTHING


@pytest.mark.parametrize("text", ["", " ", "@  country", "@ country ", " @", "@\tcountry", "Country", "@ planet"])
def test_G045_unknown_words_and_stray_spaces_are_refused(text: str) -> None:
    """Words are parted by single spaces."""
    with pytest.raises(ValueProblem, match="targeting must be"):
        parse_targeting(text)


@pytest.mark.parametrize(
    ("target", "level"),
    [
        ("us", COUNTRY),
        ("xk", COUNTRY),
        ("europe", CONTINENT),
        ("north-america", CONTINENT),
        ("us-ca", REGION),
        ("dk-84", REGION),
        ("gb-eng", REGION),
        ("us-west", REGION_GROUP),
        ("ru-mow", REGION),
        ("ru-tfd", REGION_GROUP),
        ("as64500", ASN),
        ("as0", ASN),
        ("[192.0.2.0]", IP),
        ("[2001:db8::]", IP),
    ],
)
def test_each_target_has_its_level(target: str, level: int) -> None:
    """And is none in a zone that does not look at that level."""
    assert level_of_target(target, EVERYTHING) == level
    assert level_of_target(target, EVERYTHING & ~level) == 0


@pytest.mark.parametrize(
    "target",
    "zz uk www atlantis @ us- -ca us-calif zz-ca as01 asia2 as64500x 192.0.2.0 [192.0.2] [192.0.2.01] [2001:DB8::] "
    "[2001:db8:0:0::] [::1 ] [ []".split(),
)
def test_what_no_client_can_have_is_no_target(target: str) -> None:
    """Codes that belong nowhere, and addresses in another form than targets have (RFC 5952)."""
    assert level_of_target(target, EVERYTHING) == 0


def test_nothing_is_no_target() -> None:
    """What follows the last dot of an empty label."""
    assert level_of_target("", EVERYTHING) == 0


@given(st.text(alphabet="abcdeuslr-[]0123456789.:", max_size=12))
def test_any_text_is_a_target_or_not(text: str) -> None:
    """Never an exception."""
    assert level_of_target(text, EVERYTHING) in (0, IP, ASN, REGION, REGION_GROUP, COUNTRY, CONTINENT)


# -- where a client is


def test_G090_targets_come_nearest_first(geo: Geo) -> None:
    """ip, asn, region, regiongroup, country, continent, @."""
    assert targets(CALIFORNIA, EVERYTHING, geo) == [
        "[203.0.113.1]",
        "[203.0.113.0]",
        "as0",
        "us-ca",
        "us-west",
        "us",
        "north-america",
        "@",
    ]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", ["[192.0.2.7]", "[192.0.2.0]"]),
        ("192.0.2.0", ["[192.0.2.0]"]),
        ("2001:db8:1:2::3", ["[2001:db8:1:2::3]", "[2001:db8:1::]"]),
        ("2001:db8:1::", ["[2001:db8:1::]", "[2001:db8:1::]"]),
        ("2001:db8::1:0:0:1", ["[2001:db8::1:0:0:1]", "[2001:db8::]"]),
    ],
)
def test_G091_address_targets_are_the_address_and_its_network(address: str, expected: list[str]) -> None:
    """/24 if it differs, /48 always; the text form of RFC 5952."""
    assert [target.decode() for target in address_targets(packed(address))] == expected


@given(st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16))
def test_G091_every_address_target_can_stand_in_a_zone(address: bytes) -> None:
    """Any that a client can have is known as one, and never looks at more than the client's bits."""
    for target in address_targets(address):
        assert level_of_target(target.decode(), IP) == IP
        assert address_target_prefix(target.decode()) in ((24, 32) if len(address) == 4 else (48, 128))


def test_G093_a_geographic_look_up_is_of_the_whole_address(geo: Geo) -> None:
    """Not of x.y.z.0: the halves of 198.51.100.0/24 are in Germany and in Britain."""
    assert targets("198.51.100.200", IP | COUNTRY, geo)[2:] == ["gb"]


def test_G094_asn_targets(geo: Geo) -> None:
    """The number; as0 where the database does not know; nothing without a database."""
    assert targets(DENMARK, ASN, geo) == ["as64500"]
    assert targets(UNKNOWN, ASN, geo) == ["as0"]
    assert targets(DENMARK, ASN, EMPTY_GEO) == []


def test_G095_region_targets(geo: Geo) -> None:
    """Country and first subdivision in lower case; none without one."""
    assert targets(DENMARK, REGION, geo) == ["dk-84"]
    assert targets("198.18.16.1", REGION, geo) == []


def test_G096_regiongroup_targets(geo: Geo) -> None:
    """Only for the United States and Russia."""
    assert targets("203.0.113.65", REGION_GROUP, geo) == ["us-east"]
    assert targets("203.0.113.129", REGION_GROUP, geo) == ["ru-tfd"]
    assert targets(DENMARK, REGION_GROUP, geo) == []


def test_G097_country_and_continent_targets(geo: Geo) -> None:
    """Where it is used, not where it is registered; the continent by geodns's table, not the database's."""
    assert targets("198.18.0.1", COUNTRY | CONTINENT, geo) == ["br", "south-america"]
    assert targets("203.0.113.129", CONTINENT, geo) == ["europe"]


def test_G098_any_database_answers_for_country_and_continent(world: Path) -> None:
    """City without Country, Country without City, also where coordinates or regions are wanted."""
    city, country = Geo(city=database(world, "City")), Geo(country=database(world, "Country"))

    for geo in (city, country):
        assert targets(DENMARK, COUNTRY | CONTINENT, geo) == ["dk", "europe"]
        assert targets(DENMARK, COUNTRY | CONTINENT, geo, wants_coordinates=True) == ["dk", "europe"]
    assert targets(DENMARK, REGION | COUNTRY, city) == ["dk-84", "dk"]
    assert targets(DENMARK, REGION | COUNTRY, country) == ["dk"]


def test_G102_everybody_is_a_target_only_where_the_zone_says_so(geo: Geo) -> None:
    """Without `@` an unknown client has none."""
    assert targets(UNKNOWN, COUNTRY | CONTINENT, geo) == []
    assert targets(UNKNOWN, COUNTRY | CONTINENT | ANYONE, geo) == ["@"]


def test_a_zone_for_everybody_looks_nothing_up(geo: Geo) -> None:
    """No database is asked, so no prefix is needed."""
    location = locate(packed(DENMARK), True, ANYONE, False, geo)

    assert location.targets == (b"@",)
    assert (location.place_prefix, location.asn_prefix, location.has_place) == (0, 0, False)


def test_ipv6_clients_are_found_too(geo: Geo) -> None:
    """In the same databases."""
    assert targets("2001:db8:2::1", REGION_GROUP | COUNTRY, geo) == ["us-west", "us"]


# -- which subnet may decide

# G200, and nothing else; and what the RFCs call unspecified, loopback, multicast, link-local and broadcast.
REFUSED = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/32 255.255.255.255/32 127.0.0.0/8 224.0.0.0/4 169.254.0.0/16 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 "
        "::/128 ::1/128 ff00::/8 fe80::/10 fc00::/7"
    ).split()
]
EDGES = [edge for network in REFUSED for edge in (network[0], network[-1])]
NEIGHBOURS = [
    type(edge)(int(edge) + step) for edge in EDGES for step in (-1, 1) if 0 <= int(edge) + step < 2**edge.max_prefixlen
]


@given(st.ip_addresses() | st.sampled_from(EDGES) | st.sampled_from(NEIGHBOURS))
@example(ipaddress.ip_address("192.0.2.1"))
@example(ipaddress.ip_address("2001:db8::1"))
@example(ipaddress.ip_address("240.0.0.1"))
@example(ipaddress.ip_address("100.64.0.1"))
def test_G200_global_unicast_that_is_not_private_may_decide(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """The documentation networks may, as in geodns."""
    is_refused = any(address in network for network in REFUSED if network.version == address.version)

    assert is_locatable(address.packed) is not is_refused


# -- the scope (RFC 7871 section 7.2.1)


def located(text: str, geo: Geo, from_subnet: bool = True) -> Location:
    return locate(packed(text), from_subnet, EVERYTHING, True, geo)


@pytest.mark.parametrize("levels", [REGION, REGION_GROUP, COUNTRY, CONTINENT, CLOSEST])
def test_a_place_needs_the_prefix_of_its_match(geo: Geo, levels: int) -> None:
    """198.51.100.0/25 is one network in the database of cities."""
    assert scope_prefix(located("198.51.100.1", geo), levels, (0, 0)) == 25


def test_an_asn_needs_the_prefix_of_its_match(geo: Geo) -> None:
    """198.51.100.0/24 is one network in the database of systems."""
    assert scope_prefix(located("198.51.100.1", geo), ASN, (0, 0)) == 24


def test_the_longest_prefix_counts(geo: Geo) -> None:
    """Of all levels that the name has."""
    assert scope_prefix(located("198.51.100.1", geo), ASN | COUNTRY, (0, 0)) == 25
    assert scope_prefix(located(DENMARK, geo), ASN | COUNTRY, (0, 0)) == 25
    assert scope_prefix(located(DENMARK, geo), IP | ASN | COUNTRY, (32, 128)) == 32


def test_address_variants_need_what_they_look_at(geo: Geo) -> None:
    """In the client's own family."""
    assert scope_prefix(located(DENMARK, geo), IP, (24, 128)) == 24
    assert scope_prefix(located("2001:db8:1::1", geo), IP, (24, 48)) == 48


def test_a_name_that_is_the_same_for_all_has_scope_0(geo: Geo) -> None:
    """Wherever the client is."""
    assert scope_prefix(located(DENMARK, geo), 0, (0, 0)) == 0
    assert scope_prefix(located(DENMARK, geo), ANYONE, (0, 0)) == 0


def test_the_scope_is_0_where_the_socket_decided(geo: Geo) -> None:
    """The answer says nothing of the subnet then (G101)."""
    assert scope_prefix(located(DENMARK, geo, from_subnet=False), EVERYTHING, (32, 128)) == 0


def test_an_unknown_client_needs_the_prefix_that_is_unknown(geo: Geo) -> None:
    """A neighbour may be known, so that 0 would be too much said."""
    scope = scope_prefix(located(UNKNOWN, geo), COUNTRY, (0, 0))
    unknown = ipaddress.ip_network(f"{UNKNOWN}/{scope}", strict=False)

    assert 0 < scope <= 32
    assert not any(unknown.overlaps(ipaddress.ip_network(known)) for known in ("198.51.100.0/24", "198.18.0.0/15"))
