"""Tables of countries, places read from records, and which database is asked."""

from __future__ import annotations

import math
from collections import Counter
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.geography import EMPTY_GEO, Database, Geo, Kind
from greendns.geoip import open_database
from greendns.levels import ANYONE, COUNTRY
from greendns.mmdbrecord import Shape
from greendns.mmdbtree import SEPARATOR_OCTETS, Tree
from greendns.place import CONTINENT_OF, NOWHERE, REGION_GROUP_OF, Place, distance_degrees, place_of
from tests.databases import WORLD, asn, city, write_asn, write_city, write_country, write_world

Odd: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.binary(max_size=4),
    st.lists(st.integers(), max_size=1),
)
Code = Odd | st.text("abzABZ019-.ä", max_size=40)


@pytest.fixture
def geo(tmp_path: Path) -> Geo:
    write_world(tmp_path)
    return Geo(
        city=open_database(tmp_path / "GeoLite2-City.mmdb", "City"),
        country=open_database(tmp_path / "GeoLite2-Country.mmdb", "Country"),
        asn=open_database(tmp_path / "GeoLite2-ASN.mmdb", "ASN"),
    )


def _find(database: Database | None, address: str) -> tuple[Place, int]:
    assert database is not None
    return database.find(ip_address(address).packed)


def _one_record_database(kind: Kind, decoded: list[object]) -> Database:
    """Half of all addresses have the one record; what it decodes to is taken from `decoded`."""
    tree = Tree((17).to_bytes(3, "big") + (1).to_bytes(3, "big") + bytes(16) + b"x", 1, 24, 4)
    return Database(kind, "test.mmdb", 0, tree, lambda offset, shape: decoded.pop())


def test_G097_continents_have_254_countries() -> None:
    """The table has the sizes of geodns's own; no code is in two continents."""
    expected = {
        "africa": 58,
        "antarctica": 5,
        "asia": 51,
        "europe": 56,
        "north-america": 42,
        "oceania": 28,
        "south-america": 14,
    }

    assert expected == Counter(CONTINENT_OF.values())
    assert len(CONTINENT_OF) == 254


def test_G097_country_codes_have_two_lower_case_letters() -> None:
    """Pseudo codes of old databases are known or not as they are to geodns."""
    assert all(len(code) == 2 and code.isalnum() and code == code.lower() for code in CONTINENT_OF)
    assert (CONTINENT_OF["ap"], CONTINENT_OF["eu"]) == ("asia", "europe")
    assert not {"a1", "a2", "uk"} & CONTINENT_OF.keys()


def test_G096_region_groups_have_their_sizes() -> None:
    """83 regions of Russia, 51 of the United States with its capital."""
    expected = {
        "ru-dfd": 11,
        "ru-kfd": 7,
        "ru-pfd": 14,
        "ru-sfd": 10,
        "ru-tfd": 18,
        "ru-ufd": 6,
        "ru-vfd": 11,
        "ru-yfd": 6,
        "us-central": 14,
        "us-east": 24,
        "us-west": 13,
    }

    assert expected == Counter(REGION_GROUP_OF.values())
    assert sum(expected.values()) == len(REGION_GROUP_OF)


@pytest.mark.parametrize(
    ("country", "subdivision", "group"),
    [
        ("US", "CA", b"us-west"),
        ("US", "NY", b"us-east"),
        ("US", "TX", b"us-central"),
        ("RU", "MOW", b"ru-tfd"),
        ("US", "XX", None),
        ("CA", "ON", None),
        ("DK", "84", None),
    ],
)
def test_G096_only_the_us_and_russia_have_region_groups(country: str, subdivision: str, group: bytes | None) -> None:
    """The group is that of country and subdivision together."""
    assert group == place_of(city(country, subdivision)).regiongroup


def test_G095_region_is_country_and_first_subdivision() -> None:
    """Lower case, joined with a hyphen; a second subdivision says nothing."""
    record = city("GB", "ENG")
    record["subdivisions"].append({"iso_code": "WSM"})

    assert place_of(record).region == b"gb-eng"


def test_G095_without_a_subdivision_there_is_no_region() -> None:
    """A country alone, or an empty list, has no region."""
    assert place_of(city("FR")).region is None
    assert place_of({**city("FR"), "subdivisions": []}).region is None


def test_G097_country_is_where_the_network_is_used() -> None:
    """The country of registration is not looked at, neither as well nor instead."""
    assert place_of(city("BR", registered="US")).country == b"br"
    assert place_of({"registered_country": {"iso_code": "US"}}) == NOWHERE


def test_G097_continent_is_from_our_table() -> None:
    """Not from the record: Turkey is in Europe here, and an unknown country is on no continent."""
    turkey = {"country": {"iso_code": "TR"}, "continent": {"code": "AS"}}
    unknown = {"country": {"iso_code": "A1"}, "continent": {"code": "EU"}}

    assert place_of(turkey).continent == b"europe"
    assert Place(country=b"a1") == place_of(unknown)


def test_G094_asn_is_a_number_or_unknown() -> None:
    """A record of another kind has none."""
    assert place_of(asn(64500)).asn == 64500
    assert place_of(asn(4294967295)).asn == 4294967295
    assert place_of(city("DK")).asn is None


def test_coordinates_are_latitude_and_longitude() -> None:
    """Both are there or none is; integers are as good as floats."""
    assert place_of(city("DK", at=(55.7, 12.6))).coordinates == (55.7, 12.6)
    assert place_of({"location": {"latitude": 1, "longitude": -2}}).coordinates == (1.0, -2.0)
    assert place_of({"location": {"latitude": 55.7}}).coordinates is None


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "DK",
        {"country": "DK"},
        {"country": {"iso_code": b"DK"}},
        {"country": {"iso_code": ""}},
        {"country": {"iso_code": "D.K"}},
        {"country": {"iso_code": "dä"}},
        {"country": {"iso_code": "x" * 32}},
        {"subdivisions": [{"iso_code": "84"}]},
        {"subdivisions": {"0": {"iso_code": "84"}}},
        {"location": [55.7, 12.6]},
        {"location": {"latitude": math.nan, "longitude": 12.6}},
        {"location": {"latitude": 90.5, "longitude": 12.6}},
        {"location": {"latitude": 55.7, "longitude": math.inf}},
        {"location": {"latitude": True, "longitude": False}},
        {"location": {"latitude": 10**400, "longitude": 0}},
        {"autonomous_system_number": "64500"},
        {"autonomous_system_number": -1},
        {"autonomous_system_number": 2**32},
        {"autonomous_system_number": True},
    ],
)
def test_an_odd_record_is_nowhere(record: object) -> None:
    """Values of another type or beyond their limits are left out, and nothing is raised."""
    assert place_of(record) == NOWHERE


@given(
    st.fixed_dictionaries(
        {
            "country": Odd | st.fixed_dictionaries({"iso_code": Code}),
            "subdivisions": Odd | st.lists(Odd | st.fixed_dictionaries({"iso_code": Code}), max_size=2),
            "location": Odd | st.fixed_dictionaries({"latitude": Odd, "longitude": Odd}),
            "autonomous_system_number": Odd,
        }
    )
)
def test_every_record_gives_words_that_fit_in_a_label(record: dict[str, object]) -> None:
    """Whatever a database holds, a word is 1 to 63 octets of lower case without a dot."""
    place = place_of(record)

    words = [word for word in (place.country, place.continent, place.region, place.regiongroup) if word is not None]
    assert all(0 < len(word) <= 63 and word == word.lower() and b"." not in word for word in words)


@pytest.mark.parametrize(
    ("one", "other", "degrees"),
    [
        ((0.0, 0.0), (0.0, 0.0), 0.0),
        ((0.0, 0.0), (0.0, 90.0), 90.0),
        ((0.0, 170.0), (0.0, -170.0), 20.0),
        ((90.0, 0.0), (-90.0, 77.0), 180.0),
        ((55.7, 12.6), (-55.7, -167.4), 180.0),
        ((90.0, 10.0), (30.0, 200.0), 60.0),
        ((60.0, 0.0), (60.0, 180.0), 60.0),
    ],
)
def test_G161_distance_is_the_angle_of_the_great_circle(
    one: tuple[float, float], other: tuple[float, float], degrees: float
) -> None:
    """Across the date line and over the poles it is the shorter way."""
    assert degrees == pytest.approx(distance_degrees(one, other), abs=1e-6)


Coordinate = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(Coordinate, Coordinate)
def test_G161_distance_is_the_same_both_ways(one: tuple[float, float], other: tuple[float, float]) -> None:
    """It is never more than half a circle."""
    assert 0.0 <= distance_degrees(one, other) <= 180.0
    assert distance_degrees(other, one) == pytest.approx(distance_degrees(one, other), abs=1e-9)


@pytest.mark.parametrize("network", WORLD)
def test_each_network_of_the_world_is_found(geo: Geo, network: str) -> None:
    """The database says of an address what its record says, with the network's prefix length."""
    address, prefix_length = network.split("/")

    assert (place_of(WORLD[network]), int(prefix_length)) == _find(geo.city, address)


def test_a_place_has_all_its_words(geo: Geo) -> None:
    """A client in California, by address and by system number."""
    california = Place(b"us", b"north-america", b"us-ca", b"us-west", None, (37.8, -122.4))

    assert (california, 26) == _find(geo.city, "203.0.113.1")
    assert (Place(asn=64500), 25) == _find(geo.asn, "192.0.2.1")
    assert (Place(b"dk", b"europe"), 24) == _find(geo.country, "192.0.2.1")


def test_G100_an_address_that_is_not_there_is_nowhere(geo: Geo) -> None:
    """No country, no region and no coordinates, for which geodns takes 0, 0."""
    place, prefix_length = _find(geo.city, "10.0.0.1")

    assert place == NOWHERE
    assert 0 < prefix_length < 32
    assert place.coordinates is None


def test_a_record_is_decoded_once() -> None:
    """Many addresses with one record share one place."""
    decoded: list[object] = [city("DK")]
    database = _one_record_database("City", decoded)

    places = {id(database.find(bytes([octet, 0, 0, 1]))[0]) for octet in range(128)}

    assert len(places) == 1
    assert decoded == []


def test_records_of_one_slot_are_not_taken_for_each_other() -> None:
    """Of 800,000 offsets many share one of the 524,288 slots of the table: each time it holds the one met last."""
    first_with: dict[int, int] = {}
    pairs = []
    for offset in range(0, 800_000, 7):
        other = first_with.setdefault((offset * 2654435769 & 0xFFFFFFFF) >> 13, offset)
        if other != offset:
            pairs.append((other, offset))

    for pair in pairs[:50]:
        database = Database("ASN", "", 0, _leaves_tree(list(pair), 800_000), lambda offset, shape: asn(offset))
        found = [database.find_words(bytes([side, 0, 0, 0]))[0].asn for side in (0, 128, 0, 128, 0)]
        assert found == [pair[0], pair[1], pair[0], pair[1], pair[0]]


def test_places_beyond_those_that_a_cell_can_number_are_found_too() -> None:
    """The table numbers 524,287 places; the next one is decoded each time."""
    places = 1 << 19
    decoded = Counter[int]()

    def decode(offset: int, shape: Shape) -> object:
        decoded[offset] += 1
        return asn(offset)

    database = Database("ASN", "", 0, _leaves_tree(list(range(places)), places), decode)
    found = [database.find_words((place << 13).to_bytes(4, "big"))[0].asn for place in range(places)]
    assert found == list(range(places))

    last = ((places - 1) << 13).to_bytes(4, "big")
    assert [database.find_words(last)[0].asn for _ in range(2)] == [places - 1] * 2
    assert decoded[places - 1] == 3
    before = ((places - 2) << 13).to_bytes(4, "big")
    assert database.find_words(before)[0].asn == places - 2
    assert decoded[places - 2] == 1


def _leaves_tree(offsets: list[int], data_octets: int) -> Tree:
    """A tree of IPv4 in which all networks of one length have one of these offsets each; as many as a power of 2."""
    nodes = len(offsets) - 1
    records = [*range(1, nodes), *[nodes + SEPARATOR_OCTETS + offset for offset in offsets]]
    buffer = b"".join([record.to_bytes(3, "big") for record in records])
    return Tree(buffer + bytes(SEPARATOR_OCTETS + data_octets), nodes, 24, 4)


def test_places_remember_the_targets_of_each_targeting() -> None:
    """Zones with different targeting ask one place in turns, also one that has no words."""
    for place in (Place(b"dk", b"europe"), Place()):
        words = [
            place.targets(levels) for levels in (0, COUNTRY, ANYONE, COUNTRY | ANYONE, 0, ANYONE, COUNTRY, COUNTRY)
        ]

        country = () if place.country is None else (b"dk",)
        assert words == [(), country, (b"@",), (*country, b"@"), (), (b"@",), country, country]


def test_a_record_that_cannot_be_decoded_is_nowhere() -> None:
    """`decode` says None of it; the prefix length is that of its network."""
    database = _one_record_database("City", [None])

    assert database.find(bytes(4)) == (NOWHERE, 1)


def test_G098_region_and_closest_ask_the_city_database(geo: Geo) -> None:
    """It gives the country too; other zones ask the Country database."""
    assert geo.city is geo.locator(needs_city=True)
    assert geo.country is geo.locator(needs_city=False)


def test_G098_the_city_database_stands_in_for_the_country_database(tmp_path: Path) -> None:
    """A zone that needs only countries has them with a City database alone."""
    geo = Geo(city=open_database(write_city(tmp_path / "city.mmdb", WORLD), "City"))

    place, prefix_length = _find(geo.locator(needs_city=False), "192.0.2.1")

    assert (place.country, place.continent, prefix_length) == (b"dk", b"europe", 24)


def test_G099_the_country_database_stands_in_as_far_as_it_can(tmp_path: Path) -> None:
    """Without a City database a zone that needs it has countries, but neither regions nor distances."""
    geo = Geo(country=open_database(write_country(tmp_path / "country.mmdb", WORLD), "Country"))

    assert (Place(b"us", b"north-america"), 26) == _find(geo.locator(needs_city=True), "203.0.113.1")


def test_G099_an_asn_database_tells_no_country(tmp_path: Path) -> None:
    """With nothing else there is no locator."""
    geo = Geo(asn=open_database(write_asn(tmp_path / "asn.mmdb", {"192.0.2.0/24": asn(64500)}), "ASN"))

    assert geo.locator(needs_city=True) is None
    assert geo.locator(needs_city=False) is None
    assert EMPTY_GEO.locator(needs_city=True) is None
