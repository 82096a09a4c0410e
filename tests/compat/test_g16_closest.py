"""The nearest records first (G160-G167), in a world where distances are easy to tell: places along the equator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import city, write_city
from tests.serving import Server, serving, wait_until

# Degrees from the client, as records' addresses; those at 10 and 10.4 are equally far within 5 %, 10.6 is not.
AT_0 = "198.51.100.1"
AT_10 = "198.51.100.65"
AT_10_4 = "198.51.100.129"
AT_10_6 = "198.51.100.193"
AT_90 = "203.0.113.1"
AT_94_WEST = "203.0.113.65"
UNKNOWN = "192.0.2.1"
WITHOUT_COORDINATES = "203.0.113.129"
ACROSS_THE_POLE = "203.0.113.193"
ON_THE_MERIDIAN = "198.18.1.1"

CLIENT = "198.18.0.0/24"
POLAR_CLIENT = "198.18.2.0/24"
UNKNOWN_CLIENT = "198.19.0.0/24"
IPV6_CLIENT = "2001:db8::/48"

PLACES = {
    CLIENT: city("DK", at=(0.0, 20.0)),
    "198.51.100.0/26": city("DK", at=(0.0, 20.0)),
    "198.51.100.64/26": city("DE", at=(0.0, 30.0)),
    "198.51.100.128/26": city("FR", at=(0.0, 30.4)),
    "198.51.100.192/26": city("GB", at=(0.0, 30.6)),
    "203.0.113.0/26": city("JP", at=(0.0, 110.0)),
    "203.0.113.64/26": city("US", at=(0.0, -74.0)),
    "203.0.113.128/26": city("BR"),
    POLAR_CLIENT: city("SE", at=(80.0, 0.0)),
    "203.0.113.192/26": city("RU", at=(80.0, 180.0)),
    "198.18.1.0/24": city("SE", at=(55.0, 0.0)),
    IPV6_CLIENT: city("DK", at=(0.0, 20.0)),
    "2001:db8:1::/48": city("DK", at=(0.0, 21.0)),
    "2001:db8:2::/48": city("JP", at=(0.0, 110.0)),
}


def addresses(*records: str, weight: int = 10) -> list[list[Any]]:
    """Records of one weight, as a zone file has them."""
    return [[record, weight] for record in records]


ZONE: dict[str, Any] = {
    "max_hosts": 1,
    "closest": True,
    "data": {
        "": {"ns": ["ns1.example.net."]},
        "by-zone": {
            "a": addresses(AT_90, AT_10),
            "aaaa": addresses("2001:db8:2::1", "2001:db8:1::1"),
            "txt": [{"txt": "one", "weight": 1}, {"txt": "two", "weight": 1}],
        },
        "not-here": {"closest": False, "a": addresses(AT_90, AT_10)},
        "all": {"max_hosts": 3, "a": addresses(AT_90, AT_10, UNKNOWN)},
        "great-circle": {"a": addresses(ACROSS_THE_POLE, ON_THE_MERIDIAN)},
        "unknown-last": {"max_hosts": 2, "a": [[UNKNOWN, 100000], [AT_90, 1], [AT_94_WEST, 1]]},
        "within-5": {"a": addresses(AT_10, AT_10_4, AT_10_6, AT_90)},
        "until-enough": {"max_hosts": 3, "a": addresses(AT_10, AT_10_4, AT_10_6, AT_90)},
        "by-weight": {"a": [[AT_10, 100000], [AT_10_4, 1], [AT_90, 1000000]]},
        "nearest": {"max_hosts": 2, "a": [[AT_0, 1], [AT_10, 1000], [AT_10_4, 1000]]},
        "far": {"a": addresses(AT_90, AT_94_WEST)},
        "some-unknown": {"a": addresses(UNKNOWN, WITHOUT_COORDINATES, AT_10)},
        "mixed.dk": {"closest": False, "max_hosts": 0, "a": addresses(AT_0)},
        "mixed": {"a": addresses(AT_90, AT_10, AT_94_WEST)},
        "alias": {"closest": False, "alias": "by-zone"},
    },
}
PLAIN_ZONE = {
    "max_hosts": 1,
    "data": {
        "by-label": {"closest": True, "a": addresses(AT_90, AT_10)},
        "not-here": {"a": addresses(AT_90, AT_10)},
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that change no file."""
    directory = tmp_path_factory.mktemp("closest")
    write_city(directory / "GeoLite2-City.mmdb", PLACES)
    with serving(directory, {"example.com": ZONE, "example.org": PLAIN_ZONE}) as running:
        yield running


def seen(
    server: Server, name: str, subnet: str | None = CLIENT, rrtype: str = "A", times: int = 60
) -> set[frozenset[str]]:
    """The different answers to one question; of two that are equally likely one hides once in 2^59 runs."""
    return {frozenset(server.values(name, rrtype, subnet=subnet)) for _ in range(times)}


def only(*records: str) -> set[frozenset[str]]:
    """Each record alone in an answer."""
    return {frozenset((record,)) for record in records}


def test_G160_closest_of_the_zone_is_the_default_of_its_labels(server: Server) -> None:
    """The label says nothing, the zone says true: the nearer record, always."""
    assert seen(server, "by-zone.example.com") == only(AT_10)


def test_G160_the_labels_own_boolean_overrides_the_zones(server: Server) -> None:
    """False in a zone of true draws from all; true in a zone of false looks at distance."""
    assert seen(server, "not-here.example.com") == only(AT_90, AT_10)
    assert seen(server, "not-here.example.org") == only(AT_90, AT_10)
    assert seen(server, "by-label.example.org") == only(AT_10)


def test_G160_addresses_of_both_families_are_answered_by_distance(server: Server) -> None:
    """AAAA too, for a client of either family."""
    near = only("2001:db8:1::1")

    assert seen(server, "by-zone.example.com", rrtype="AAAA", times=20) == near
    assert seen(server, "by-zone.example.com", IPV6_CLIENT, "AAAA", times=20) == near


def test_G160_other_types_know_no_distance(server: Server) -> None:
    """A weighted TXT beside them is drawn as ever."""
    assert seen(server, "by-zone.example.com", rrtype="TXT") == only('"one"', '"two"')


def test_G160_where_all_fit_none_is_left_out(server: Server) -> None:
    """max_hosts 3 of three records: distance says nothing."""
    assert seen(server, "all.example.com", times=10) == {frozenset((AT_90, AT_10, UNKNOWN))}


def test_G160_an_alias_is_answered_as_its_target_says(server: Server) -> None:
    """The alias's own `closest` does not count: the records are the target's (G130)."""
    assert seen(server, "alias.example.com") == only(AT_10)


def test_G161_distance_is_that_of_the_great_circle(server: Server) -> None:
    """Across the pole it is 20 degrees, down the meridian 25, though 180 degrees of longitude lie between."""
    assert seen(server, "great-circle.example.com", POLAR_CLIENT, times=20) == only(ACROSS_THE_POLE)


def test_G161_a_record_without_location_is_farthest(server: Server) -> None:
    """Of three the two with a location are answered, whatever the third weighs."""
    assert seen(server, "unknown-last.example.com") == {frozenset((AT_90, AT_94_WEST))}


def test_G162_records_within_5_percent_are_equally_near(server: Server) -> None:
    """10 and 10.4 degrees take turns; 10.6 is never answered."""
    assert seen(server, "within-5.example.com") == only(AT_10, AT_10_4)


def test_G162_further_records_are_taken_until_there_are_enough(server: Server) -> None:
    """Three wanted, two within 5 %: the next nearest is the third."""
    assert seen(server, "until-enough.example.com", times=20) == {frozenset((AT_10, AT_10_4, AT_10_6))}


def test_G162_among_the_chosen_weight_decides(server: Server) -> None:
    """100,000 : 1 between the near ones, whatever the far one weighs: most of 20 answers are the heavy one."""
    answers = [server.values("by-weight.example.com", subnet=CLIENT) for _ in range(20)]

    assert answers.count([AT_10]) > 10
    assert [AT_90] not in answers


def test_G163_the_nearest_record_is_always_answered(server: Server) -> None:
    """The record beside the client, light as it is, is in every answer; geodns had it in 43 of 100."""
    assert seen(server, "nearest.example.com") == {frozenset((AT_0, AT_10)), frozenset((AT_0, AT_10_4))}


def test_G164_a_far_client_draws_from_all_that_are_about_as_far(server: Server) -> None:
    """90 degrees one way and 94 the other are the same: both continents come up."""
    assert seen(server, "far.example.com") == only(AT_90, AT_94_WEST)


def test_G165_an_unknown_client_gets_a_plain_weighted_pick(server: Server) -> None:
    """It is not nearest to what is unknown itself: each of three equal records comes up."""
    assert seen(server, "some-unknown.example.com", UNKNOWN_CLIENT, times=120) == only(
        UNKNOWN, WITHOUT_COORDINATES, AT_10
    )


def test_G165_a_place_without_coordinates_is_unknown(server: Server) -> None:
    """A database record that names a country alone is no location, of neither client nor record."""
    assert seen(server, "some-unknown.example.com", "203.0.113.128/26", times=120) == only(
        UNKNOWN, WITHOUT_COORDINATES, AT_10
    )
    assert seen(server, "some-unknown.example.com", times=20) == only(AT_10)


def test_G166_each_label_decides_by_itself(server: Server) -> None:
    """A match of a label without closest comes first and has nothing to give; the next label still goes by distance."""
    assert seen(server, "mixed.example.com") == only(AT_10)


def test_G167_a_newer_city_database_moves_the_records(tmp_path: Path) -> None:
    """The zone file stays as it is; the records' places follow the database."""
    zone = {"closest": True, "max_hosts": 1, "data": {"www": {"a": addresses(AT_90, AT_10)}}}
    database = tmp_path / "GeoLite2-City.mmdb"
    write_city(database, PLACES)
    with serving(tmp_path, {"example.com": zone}, workers=0) as server:
        assert seen(server, "www.example.com", times=20) == only(AT_10)

        moved = {**PLACES, "203.0.113.0/26": city("DK", at=(0.0, 21.0))}
        write_city(tmp_path / "new.mmdb", moved).replace(database)

        wait_until(lambda: server.values("www.example.com", subnet=CLIENT) == [AT_90], "the new place is nearer")
        assert seen(server, "www.example.com", times=20) == only(AT_90)


def test_G160_a_cname_minds_neither_distance_nor_max_hosts(tmp_path: Path, world: Path) -> None:
    """In a zone that is closest by default, with max_hosts 0: distance is for addresses, and a CNAME is always one."""
    data = {"": {"ns": ["ns1.example.net."]}, "www": {"cname": [["a.example.net.", 1], ["a.example.net.", 1]]}}
    with serving(
        tmp_path, {"example.com": {"closest": True, "max_hosts": 0, "data": data}}, ["--geoip", str(world)]
    ) as s:
        assert s.values("www.example.com", subnet="192.0.2.0/24") == ["a.example.net."]
