"""G090-G104: which targets a client has, as `_country` tells them and as answers show them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import dns.rcode
import pytest

from tests.databases import WORLD, WORLD_ASNS, Record, city, write_asn, write_city, write_country
from tests.serving import Server, serving, wait_until

# Where the questions of these tests come from, and some countries of which tables say something special.
HERE = {"127.0.0.0/8": city("SE", subdivision="AB", at=(59.3, 18.1))}
ODD_COUNTRIES = {"198.19.1.0/24": "A1", "198.19.2.0/24": "AP", "198.19.3.0/24": "EU", "198.19.4.0/24": "UK"}
FURTHER = {"198.19.5.0/24": city("US", subdivision="PR"), "198.19.6.0/24": city("CA", subdivision="ON")}
# The City and the Country database contradict each other here, so that it shows which one was asked.
CONTRADICTED = "198.19.10.0/24"
IN_FORCE_SECONDS = 3.0

CITY: dict[str, Record] = {
    **WORLD,
    **HERE,
    **{network: city(code) for network, code in ODD_COUNTRIES.items()},
    **FURTHER,
    CONTRADICTED: city("DE", subdivision="BE", at=(52.5, 13.4)),
}
COUNTRY: dict[str, Record] = {**CITY, CONTRADICTED: city("FR")}

SERVERS = [["192.0.2.11"], ["192.0.2.12"]]
ZONES: dict[str, object] = {
    # The order of the words is not the order of the targets.
    "all.example.com": {
        "targeting": "@ continent ip country asn regiongroup region",
        "data": {
            "www": {"txt": "@"},
            "www.[203.0.113.7]": {"txt": "address"},
            "www.[203.0.113.0]": {"txt": "network"},
            "www.as64501": {"txt": "asn"},
            "www.us-ca": {"txt": "region"},
            "www.us-west": {"txt": "regiongroup"},
            "www.us": {"txt": "country"},
            "www.north-america": {"txt": "continent"},
            "www.[2001:db8:1::]": {"txt": "network"},
            "place": {"txt": "@"},
            "place.us-ca": {"txt": "region"},
            "place.us-west": {"txt": "regiongroup"},
            "place.us": {"txt": "country"},
            "place.north-america": {"txt": "continent"},
            "": {"txt": "apex"},
            "europe": {"txt": "apex in Europe"},
        },
    },
    "ip.example.com": {"targeting": "ip country @"},
    "asn.example.com": {"targeting": "asn @", "data": {"www": {"txt": "@"}, "www.as0": {"txt": "unknown"}}},
    "default.example.com": {"data": {"www": {"txt": "@"}, "www.se": {"txt": "se"}, "www.europe": {"txt": "europe"}}},
    "region.example.com": {"targeting": "region country @"},
    "group.example.com": {"targeting": "regiongroup country @"},
    "near.example.com": {"data": {"www": {"closest": True, "max_hosts": 1, "a": SERVERS}}},
    "near1.example.com": {"data": {"www": {"closest": True, "a": [["192.0.2.11"]]}}},
    "nearest.example.com": {
        "targeting": "@",
        "max_hosts": 1,
        # In Denmark and in Sweden, where the questions come from.
        "data": {"www": {"closest": True, "a": [["192.0.2.1"], ["127.0.0.9"]]}},
    },
    "nobody.example.com": {
        "targeting": "country",
        "data": {"www": {"txt": "@"}, "www.dk": {"txt": "dk"}, "only.dk": {"txt": "dk"}},
    },
}


class Country(NamedTuple):
    """The strings of a `_country` answer (G182)."""

    remote: str
    address: str
    targets: str
    netmask: str
    identifier: str
    server: str
    coordinates: str


def country(server: Server, zone: str, subnet: str | None = None) -> Country:
    """What `_country` tells of a client."""
    (rrset,) = server.ask(f"_country.{zone}.example.com", "TXT", subnet=subnet).answer
    return Country(*[string.decode() for string in rrset[0].strings])


def targets(server: Server, zone: str, subnet: str | None = None) -> str:
    """The targets of a client, parted by spaces."""
    return country(server, zone, subnet).targets


def text(server: Server, name: str, subnet: str | None = None) -> str:
    """The one string of the TXT that a client gets."""
    (rrset,) = server.ask(f"{name}.example.com", "TXT", subnet=subnet).answer
    return bytes(rrset[0].strings[0]).decode()


WRITE: dict[str, Callable[[Path], Path]] = {
    "City": lambda directory: write_city(directory / "GeoLite2-City.mmdb", CITY),
    "Country": lambda directory: write_country(directory / "GeoLite2-Country.mmdb", COUNTRY),
    "ASN": lambda directory: write_asn(directory / "GeoLite2-ASN.mmdb", WORLD_ASNS),
}


@pytest.fixture(scope="module")
def server_with(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """A function that gives the server whose databases are the ones named, started when first asked for."""
    running: dict[tuple[str, ...], Server] = {}

    with ExitStack() as stack:

        def get(*kinds: str) -> Server:
            if kinds not in running:
                directory = tmp_path_factory.mktemp("targets")
                for kind in kinds:
                    WRITE[kind](directory)
                running[kinds] = stack.enter_context(serving(directory, ZONES))
            return running[kinds]

        yield get


@pytest.fixture
def server(server_with: Callable[..., Server]) -> Server:
    """A server with all three databases."""
    return server_with("City", "Country", "ASN")


# -- which targets


def test_G090_targets_go_from_the_nearest_to_everybody(server: Server) -> None:
    """Address, AS, region, group of regions, country, continent, everybody, whatever the order in `targeting`."""
    assert targets(server, "all", "203.0.113.0/32") == ("[203.0.113.0] as0 us-ca us-west us north-america @")


@pytest.mark.parametrize(
    ("subnet", "nearest"),
    [
        ("203.0.113.7/32", "address"),
        ("203.0.113.8/32", "network"),
        ("198.51.100.8/32", "asn"),
        ("198.19.5.1/32", "country"),
        ("198.18.0.1/32", "@"),
        ("2001:db8:1::7/128", "network"),
        ("2001:db8:2::7/128", "asn"),
    ],
)
def test_G090_the_nearest_target_with_records_answers(server: Server, subnet: str, nearest: str) -> None:
    """Each client gets what stands at the first of its targets that the name has."""
    assert text(server, "www.all", subnet) == nearest


@pytest.mark.parametrize(
    ("subnet", "nearest"),
    [
        ("203.0.113.0/26", "region"),
        ("2001:db8:2::/48", "regiongroup"),
        ("203.0.113.64/26", "country"),
        ("198.19.6.0/24", "continent"),
        ("198.18.0.0/20", "@"),
    ],
)
def test_G090_region_and_group_come_before_country_and_continent(server: Server, subnet: str, nearest: str) -> None:
    """California, Washington, New York, Canada, Brazil."""
    assert text(server, "place.all", subnet) == nearest


def test_G091_an_ipv4_client_has_its_address_and_its_network(server: Server) -> None:
    """The /24 follows the address if it is another one."""
    assert targets(server, "ip", "192.0.2.7/32") == "[192.0.2.7] [192.0.2.0] dk @"
    assert targets(server, "ip", "192.0.2.0/32") == "[192.0.2.0] dk @"


def test_G091_an_ipv6_client_always_has_its_48(server: Server) -> None:
    """The /48 follows the address, also if it is the same text again; both as RFC 5952 writes them."""
    assert targets(server, "ip", "2001:db8:1:0:0:0:0:7/128") == "[2001:db8:1::7] [2001:db8:1::] se @"
    assert targets(server, "ip", "2001:db8:1::/48") == "[2001:db8:1::] [2001:db8:1::] se @"


def test_G092_the_apex_has_variants_without_a_dot(server: Server) -> None:
    """The label for a target is `label.target`, for the apex the target alone."""
    assert text(server, "all", "198.18.0.1/32") == "apex"
    assert text(server, "all", "192.0.2.1/32") == "apex in Europe"


def test_G092_everybody_has_the_label_itself(server: Server) -> None:
    """`@` is no suffix."""
    assert text(server, "www.default", "203.0.113.1/32") == "@"
    assert text(server, "www.default", "192.0.2.1/32") == "europe"


def test_G093_ip_targeting_leaves_the_address_as_it_is(server: Server) -> None:
    """The second half of 198.51.100.0/24 is elsewhere, and so is a client there; geodns took the network's place."""
    assert country(server, "ip", "198.51.100.200/32").address == "198.51.100.200"
    assert targets(server, "ip", "198.51.100.200/32") == "[198.51.100.200] [198.51.100.0] gb @"
    assert targets(server, "ip", "198.51.100.20/32") == "[198.51.100.20] [198.51.100.0] de @"


def test_G094_as_number_of_the_address(server: Server) -> None:
    """as64501; as0 for an address that the database has not."""
    assert targets(server, "asn", "198.51.100.7/32") == "as64501 @"
    assert targets(server, "asn", "203.0.113.7/32") == "as0 @"
    assert text(server, "www.asn", "203.0.113.7/32") == "unknown"


def test_G094_no_as_database_no_as_target(server_with: Callable[..., Server]) -> None:
    """Not even as0."""
    assert targets(server_with("City", "Country"), "asn", "198.51.100.7/32") == "@"


@pytest.mark.parametrize(
    ("subnet", "expected"),
    [
        ("203.0.113.0/26", "us-ca us @"),
        ("203.0.113.64/26", "us-ny us @"),
        ("198.51.100.0/25", "de-be de @"),
        ("198.18.16.0/20", "fr @"),
    ],
)
def test_G095_region_is_country_and_subdivision(server: Server, subnet: str, expected: str) -> None:
    """In lower case; France has no subdivision in the database and no region target."""
    assert targets(server, "region", subnet) == expected


@pytest.mark.parametrize(
    ("subnet", "expected"),
    [
        ("203.0.113.0/26", "us-west us @"),
        ("203.0.113.64/26", "us-east us @"),
        ("203.0.113.128/26", "ru-tfd ru @"),
        ("198.51.100.0/25", "de @"),
        ("198.19.5.0/24", "us @"),
    ],
)
def test_G096_only_the_us_and_russia_have_region_groups(server: Server, subnet: str, expected: str) -> None:
    """By the table; us-pr stands in no group."""
    assert targets(server, "group", subnet) == expected


def test_G097_country_is_where_the_address_is_not_where_it_is_registered(server: Server) -> None:
    """Registered in the US and used in Brazil: br."""
    assert targets(server, "default", "198.18.0.0/20") == "br south-america @"


@pytest.mark.parametrize(
    ("subnet", "expected"),
    [
        ("192.0.2.0/24", "dk europe @"),
        ("203.0.113.192/26", "jp asia @"),
        ("203.0.113.0/26", "us north-america @"),
        ("198.19.1.0/24", "a1 @"),
        ("198.19.2.0/24", "ap asia @"),
        ("198.19.3.0/24", "eu europe @"),
        ("198.19.4.0/24", "uk @"),
    ],
)
def test_G097_continent_is_from_the_table(server: Server, subnet: str, expected: str) -> None:
    """Not from the databases, which name one here that does not exist. a1 and uk stand nowhere in the table."""
    assert targets(server, "default", subnet) == expected


# -- which database


@pytest.mark.parametrize("zone", ["region", "group", "near", "near1"])
def test_G098_regions_and_closest_ask_the_city_database(server: Server, zone: str) -> None:
    """Then the City database says the country too, for the whole zone."""
    told = targets(server, zone, CONTRADICTED).split()

    assert "de" in told
    assert "fr" not in told


def test_G098_countries_ask_the_country_database(server: Server) -> None:
    """A zone that looks at no more than the country and the continent."""
    assert targets(server, "default", CONTRADICTED) == "fr europe @"


def test_G098_a_city_database_alone_tells_countries(server_with: Callable[..., Server]) -> None:
    """Country, continent and everything else but the AS."""
    alone = server_with("City")

    assert targets(alone, "default", "192.0.2.0/24") == "dk europe @"
    assert targets(alone, "all", "203.0.113.0/32") == "[203.0.113.0] us-ca us-west us north-america @"
    assert text(alone, "www.default", "192.0.2.0/24") == "europe"


def test_G098_a_country_database_alone_tells_what_it_can(server_with: Callable[..., Server]) -> None:
    """Country and continent also where the zone targets regions, and no region."""
    alone = server_with("Country")

    assert targets(alone, "default", "192.0.2.0/24") == "dk europe @"
    assert targets(alone, "all", "203.0.113.0/32") == "[203.0.113.0] us north-america @"
    assert targets(alone, "near", "192.0.2.0/24") == "dk europe @"


def test_G098_closest_without_a_city_database_is_a_weighted_pick(server_with: Callable[..., Server]) -> None:
    """Nobody knows what is near: as many records as ever."""
    assert set(server_with("Country").values("www.near.example.com", subnet="192.0.2.0/24")) <= {
        "192.0.2.11",
        "192.0.2.12",
    }


def test_G099_without_a_database_of_places_there_are_no_places(server_with: Callable[..., Server]) -> None:
    """Only address, AS and everybody are left."""
    assert targets(server_with("ASN"), "all", "192.0.2.0/32") == "[192.0.2.0] as64500 @"


def test_G099_without_any_database_everybody_is_answered(server_with: Callable[..., Server]) -> None:
    """The server starts, warns, and answers by `@`."""
    blind = server_with()

    assert targets(blind, "default", "192.0.2.0/24") == "@"
    assert text(blind, "www.default", "192.0.2.0/24") == "@"
    assert text(blind, "www.default") == "@"
    assert any("WARNING" in line and "GeoIP" in line for line in blind.log_text().splitlines())


def test_G100_an_unknown_address_is_at_zero_and_in_no_country(server: Server) -> None:
    """`_country` tells (0.000,0.000) where the City database was asked."""
    unknown = country(server, "near", "198.18.200.0/24")

    assert unknown.coordinates == "(0.000,0.000)"
    assert unknown.targets == "@"


def test_G101_a_subnet_without_targets_leaves_it_to_the_socket(server: Server) -> None:
    """The question comes from Sweden, its subnet from nowhere that is known."""
    assert text(server, "www.default", "198.18.200.0/24") == "se"


def test_G101_country_tells_of_the_subnet_all_the_same(server: Server) -> None:
    """`_country` does not go back to the socket."""
    told = country(server, "default", "198.18.200.0/24")

    assert (told.address, told.targets) == ("198.18.200.0", "@")


def test_G101_a_zone_for_everybody_keeps_the_subnets_place(server: Server) -> None:
    """Closest to the client, not to the resolver; geodns threw the client's place away."""
    for _ in range(10):
        assert server.values("www.nearest.example.com", subnet="192.0.2.0/24") == ["192.0.2.1"]
    assert server.values("www.nearest.example.com") == ["127.0.0.9"]


def test_G102_without_everybody_an_unmatched_client_sees_nothing(server: Server) -> None:
    """NODATA where the plain label exists, NXDOMAIN where it does not; the SOA with both."""
    nodata = server.ask("www.nobody.example.com", "TXT", subnet="203.0.113.0/26")
    nxdomain = server.ask("only.nobody.example.com", "TXT", subnet="203.0.113.0/26")

    assert text(server, "www.nobody", "192.0.2.0/24") == "dk"
    assert (nodata.rcode(), nodata.answer) == (dns.rcode.NOERROR, [])
    assert nxdomain.rcode() == dns.rcode.NXDOMAIN
    assert [rrset.name.to_text() for rrset in (*nodata.authority, *nxdomain.authority)] == ["nobody.example.com."] * 2


@pytest.mark.parametrize("subnet", [None, "192.0.2.0/24", "2001:db8:1::/48"])
def test_G103_country_never_tells_a_netmask(server: Server, subnet: str | None) -> None:
    """geodns says /0 with every kind of database."""
    assert country(server, "default", subnet).netmask == "/0"


# -- databases that come and go


def place_of_denmark(server: Server) -> str:
    """The country that the databases in service give 192.0.2.0/24, "@" where they give none."""
    return targets(server, "default", "192.0.2.0/24").split()[0]


def wait_in_force(server: Server, expected: str) -> None:
    """Wait as long as a change may take."""
    wait_until(lambda: place_of_denmark(server) == expected, f"192.0.2.0/24 is in {expected}", IN_FORCE_SECONDS)


def put(directory: Path, file: str, code: str) -> None:
    """Put a City or Country database there by rename, as deploy tools do it: 192.0.2.0/24 is in country `code`."""
    write = write_city if "City" in file else write_country
    fresh = write(directory / f"{file}.new", {"192.0.2.0/24": city(code)})
    os.replace(fresh, directory / file)


@pytest.mark.parametrize("file", ["GeoLite2-City.mmdb", "GeoLite2-Country.mmdb", "GeoIP2-City.mmdb"])
def test_G104_a_database_that_appears_later_is_taken_up(tmp_path: Path, file: str) -> None:
    """The server was started without any, and answers by country within three seconds."""
    with serving(tmp_path, ZONES, workers=0) as server:
        assert place_of_denmark(server) == "@"

        put(tmp_path, file, "DK")

        wait_in_force(server, "dk")


def test_G104_a_named_directory_may_be_empty_at_the_start(tmp_path: Path) -> None:
    """A database that appears there later is taken up."""
    later = tmp_path / "later"
    later.mkdir()
    with serving(tmp_path, ZONES, ["--geoip", str(later)], workers=0) as server:
        assert place_of_denmark(server) == "@"

        put(later, "GeoLite2-City.mmdb", "DK")

        wait_in_force(server, "dk")


def test_G104_geolite2_wins_over_geoip2(tmp_path: Path) -> None:
    """GeoIP2's file is asked as long as there is no GeoLite2 of its kind, and again when that is gone."""
    put(tmp_path, "GeoIP2-Country.mmdb", "FR")
    put(tmp_path, "GeoLite2-Country.mmdb", "DK")
    with serving(tmp_path, ZONES, workers=0) as server:
        assert place_of_denmark(server) == "dk"

        (tmp_path / "GeoLite2-Country.mmdb").unlink()

        wait_in_force(server, "fr")


def test_G104_a_database_replaced_by_rename_is_taken_up(tmp_path: Path) -> None:
    """Also if the new file is older than the one before: any difference counts."""
    put(tmp_path, "GeoLite2-City.mmdb", "DK")
    with serving(tmp_path, ZONES, workers=0) as server:
        assert place_of_denmark(server) == "dk"
        fresh = write_city(tmp_path / "fresh", {"192.0.2.0/24": city("SE")})
        os.utime(fresh, (1_600_000_000, 1_600_000_000))

        os.replace(fresh, tmp_path / "GeoLite2-City.mmdb")

        wait_in_force(server, "se")


def test_G104_a_database_written_over_in_place_is_taken_up(tmp_path: Path) -> None:
    """The same file, with other octets."""
    put(tmp_path, "GeoLite2-City.mmdb", "DK")
    fresh = write_city(tmp_path / "fresh", {"192.0.2.0/24": city("SE"), "198.51.100.0/24": city("DE")})
    with serving(tmp_path, ZONES, workers=0) as server:
        assert place_of_denmark(server) == "dk"

        shutil.copyfile(fresh, tmp_path / "GeoLite2-City.mmdb")

        wait_in_force(server, "se")


def test_G104_a_database_that_is_removed_is_not_asked_any_more(tmp_path: Path) -> None:
    """Answers go by `@` again, and the log says so."""
    put(tmp_path, "GeoLite2-City.mmdb", "DK")
    with serving(tmp_path, ZONES, workers=0) as server:
        assert place_of_denmark(server) == "dk"

        (tmp_path / "GeoLite2-City.mmdb").unlink()

        wait_in_force(server, "@")
        assert any(
            "WARNING" in line and "GeoLite2-City.mmdb" in line and "gone" in line
            for line in server.log_text().splitlines()
        )


def test_G104_a_broken_database_keeps_the_last_good_one(tmp_path: Path) -> None:
    """/health is degraded and names the file; mending it is taken up."""
    put(tmp_path, "GeoLite2-City.mmdb", "DK")
    with serving(tmp_path, ZONES, workers=0) as server:
        broken = tmp_path / "broken"
        broken.write_bytes((tmp_path / "GeoLite2-City.mmdb").read_bytes()[:-20])

        os.replace(broken, tmp_path / "GeoLite2-City.mmdb")

        wait_until(lambda: server.health()["status"] == "degraded", "the file is told", IN_FORCE_SECONDS)
        assert "GeoLite2-City.mmdb" in server.health()["errors"][0]
        assert place_of_denmark(server) == "dk"

        put(tmp_path, "GeoLite2-City.mmdb", "SE")

        wait_in_force(server, "se")
        assert server.health()["status"] == "ok"
