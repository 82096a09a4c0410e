"""Files become a generation; what did not change is shared, what is broken stays as it was."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from greendns import name
from greendns.codes import RRType
from greendns.loaded import Generation
from greendns.loader import load, load_files, watched_paths, zone_paths
from greendns.settings import Config, GeoipSettings, ZonesSettings
from greendns.snapshot import ServerOptions
from greendns.zone import Zone
from greendns.zonefile import LARGE_OCTETS
from tests.databases import WORLD, city, write_asn, write_city, write_country

OPTIONS = ServerOptions()
FILE = "example.com.json"


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    """An empty zone directory, beside an empty one for databases."""
    (tmp_path / "geoip").mkdir()
    directory = tmp_path / "zones"
    directory.mkdir()
    return directory


def config_of(zones: Path) -> Config:
    return Config(zones=ZonesSettings(directory=zones), geoip=GeoipSettings(directory=zones.parent / "geoip"))


def loaded(zones: Path, previous: Generation | None = None) -> Generation:
    return load(config_of(zones), OPTIONS, previous)


def write(directory: Path, serial: object, file: str = FILE, mtime: int | None = None, **keys: object) -> Path:
    """A zone file with this serial; `mtime` in seconds."""
    path = directory / file
    path.write_text(json.dumps({"serial": serial, "data": {"www": {"a": [["192.0.2.1"]]}}, **keys}))
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


def zone(generation: Generation, text: str = "example.com") -> Zone | None:
    """The zone that answers for a name itself; None if there is none."""
    return generation.snapshot.zones.match(name.from_text(text), RRType.A)


def serial(generation: Generation, text: str = "example.com") -> int | None:
    found = zone(generation, text)
    return None if found is None else found.serial


# -- which files


def test_G030_zone_files_are_json_files_of_the_directory_itself(zones: Path) -> None:
    """The suffix in any case; no dotfiles, no directories, nothing below."""
    for file in ("a.json", "b.JSON", "c.Json", ".hidden.json", "d.json~", "e.json.bak", "json", "geodns.conf"):
        (zones / file).write_text("{}")
    (zones / "dir.json").mkdir()
    (zones / "dir.json" / "f.json").write_text("{}")

    assert [path.name for path in zone_paths(zones)] == ["a.json", "b.JSON", "c.Json"]


def test_G031_the_zone_is_named_by_its_file(zones: Path) -> None:
    """Up to the last dot; `origin` inside is ignored."""
    write(zones, 1, "1.168.192.in-addr.arpa.json", origin="example.net")

    generation = loaded(zones)

    assert serial(generation, "1.168.192.in-addr.arpa") == 1
    assert zone(generation, "example.net") is None


def test_G041_the_serial_is_the_files_mtime(zones: Path) -> None:
    """In whole seconds."""
    write(zones, 1, mtime=1_600_000_000)
    (zones / FILE).write_text("{}")
    os.utime(zones / FILE, ns=(0, 1_600_000_000_999_999_999))

    assert serial(loaded(zones)) == 1_600_000_000


def test_G036_the_zone_pgeodns_is_always_there(zones: Path) -> None:
    """Without any file, and without counting as one in service."""
    generation = loaded(zones)

    assert zone(generation, "_status.pgeodns") is not None
    assert generation.serving() == []


def test_watched_are_the_files_that_a_load_reads(zones: Path) -> None:
    """Zone files and databases, each with what it looks like."""
    write(zones, 1)
    write_city(zones.parent / "geoip" / "GeoLite2-City.mmdb", WORLD)

    watched = watched_paths(config_of(zones))

    assert {path.name for path in watched} == {FILE, "GeoLite2-City.mmdb"}
    assert all(watched.values())


# -- the way of a change


def test_what_did_not_change_is_the_same_object(zones: Path) -> None:
    """Neither read nor built again."""
    write(zones, 1)
    write(zones, 1, "example.net.json")
    first = loaded(zones)
    write(zones, 2, "example.net.json")

    second = loaded(zones, first)

    assert zone(second) is zone(first)
    assert serial(second, "example.net") == 2


def test_G032_an_older_file_counts_too(zones: Path) -> None:
    """A rollback with its old time."""
    write(zones, 2, mtime=2_000)
    first = loaded(zones)
    write(zones, 1, mtime=1_000)

    assert serial(loaded(zones, first)) == 1


def test_a_file_that_was_replaced_with_the_same_time_and_length_counts(zones: Path, tmp_path: Path) -> None:
    """A rename can keep both."""
    write(zones, 1, mtime=1_000)
    first = loaded(zones)
    write(tmp_path, 2, "new", mtime=1_000).rename(zones / FILE)

    assert serial(loaded(zones, first)) == 2


def test_G033_a_file_that_was_only_touched_is_not_built_again(zones: Path) -> None:
    """Its content is the same."""
    path = write(zones, 1, mtime=1_000)
    first = loaded(zones)
    os.utime(path, (2_000, 2_000))

    assert zone(loaded(zones, first)) is zone(first)


def test_G034_a_broken_file_keeps_the_last_good_zone(zones: Path) -> None:
    """And tells why; again and again as long as it is broken."""
    path = write(zones, 1)
    first = loaded(zones)
    path.write_text('{"data": ')

    second = loaded(zones, first)
    third = loaded(zones, second)

    assert zone(second) is zone(first)
    assert zone(third) is zone(first)
    assert [problem.file for problem in second.errors()] == [str(path)]
    assert third.errors() == second.errors()


def test_a_mended_file_is_served_again(zones: Path) -> None:
    """Without errors, whether it is new or as it was."""
    path = write(zones, 1)
    good = path.read_bytes()
    first = loaded(zones)
    path.write_text("[]")
    broken = loaded(zones, first)

    write(zones, 2)
    assert loaded(zones, broken).errors() == ()
    assert serial(loaded(zones, broken)) == 2
    path.write_bytes(good)
    assert loaded(zones, broken).errors() == ()
    assert zone(loaded(zones, broken)) is zone(first)


def test_G035_the_zone_of_a_removed_file_goes(zones: Path) -> None:
    """The others stay."""
    path = write(zones, 1)
    write(zones, 1, "example.net.json")
    first = loaded(zones)
    path.unlink()

    second = loaded(zones, first)

    assert zone(second) is None
    assert serial(second, "example.net") == 1


def test_a_broken_file_that_is_removed_takes_its_errors_with_it(zones: Path) -> None:
    """And the zone that had been kept."""
    path = write(zones, 1)
    first = loaded(zones)
    path.write_text("{")
    second = loaded(zones, first)
    path.unlink()

    third = loaded(zones, second)

    assert third.errors() == ()
    assert zone(third) is None


def test_G037_a_broken_file_stops_no_other(zones: Path) -> None:
    """Not at the first start either."""
    write(zones, 1)
    (zones / "broken.example.json").write_text('{"data": {"www": {"a": [["10x"]]}}}')

    generation = loaded(zones)

    assert serial(generation) == 1
    assert zone(generation, "broken.example") is None
    assert len(generation.errors()) == 1


def test_a_zone_that_was_broken_at_the_start_comes_when_it_is_mended(zones: Path) -> None:
    """There is no last good one until then."""
    path = zones / FILE
    path.write_text("{")
    first = loaded(zones)
    write(zones, 5)

    assert first.serving() == []
    assert serial(loaded(zones, first)) == 5


def test_G039_an_unreadable_directory_takes_no_zone_away(zones: Path) -> None:
    """The error is told as long as it lasts."""
    write(zones, 1)
    first = loaded(zones)
    aside = zones.rename(zones.with_name("aside"))

    second = loaded(zones, first)
    aside.rename(zones)
    third = loaded(zones, second)

    assert serial(second) == 1
    assert [problem.file for problem in second.errors()] == [str(zones)]
    assert third.errors() == ()


def test_a_directory_that_is_a_link_may_be_switched(zones: Path, tmp_path: Path) -> None:
    """All at once, as deploy tools do it: the path is followed, not the inode."""
    for release in ("one", "two"):
        (tmp_path / release).mkdir()
    write(tmp_path / "one", 1, mtime=1_000)
    write(tmp_path / "two", 2, mtime=1_000)
    current = tmp_path / "current"
    current.symlink_to(tmp_path / "one")
    first = loaded(current)
    current.unlink()
    current.symlink_to(tmp_path / "two")

    assert serial(load(config_of(current), OPTIONS, first)) == 2


def test_all_errors_of_a_file_are_told_at_once(zones: Path) -> None:
    """Each with its place."""
    path = zones / FILE
    path.write_text('{"ttl": "x", "max_hosts": -1, "data": {"www": {"a": [["192.0.2.1", "10x"]], "mx": "mail"}}}')

    errors = loaded(zones).errors()

    assert {problem.place for problem in errors} == {"ttl", "max_hosts", 'data."www".a[0]', 'data."www".mx'}


def test_warnings_do_not_keep_a_zone_from_being_served(zones: Path) -> None:
    """An unknown key, an alias without a target."""
    write(zones, 1, comment="ours", data={"www": {"alias": "nowhere"}})

    generation = loaded(zones)

    assert serial(generation) == 1
    assert generation.errors() == ()
    assert [problem.place for problem in generation.warnings()] == ["comment", 'data."www".alias']


def test_a_zone_remembers_when_it_was_loaded(zones: Path) -> None:
    """Not when it was last looked at."""
    before = time.time()
    write(zones, 1)
    first = loaded(zones)
    (zone_file,) = loaded(zones, first).serving()

    assert before <= zone_file.loaded <= time.time()
    assert zone_file.load_seconds > 0
    assert zone_file.loaded == first.serving()[0].loaded


def test_single_files_are_checked_without_a_directory(zones: Path) -> None:
    """As a deploy script does."""
    good, bad = write(zones, 1), zones / "bad.example.json"
    bad.write_text("{")

    checked = load_files([good, bad, zones / "missing.json"])

    assert [bool(each.errors) for each in checked] == [False, True, True]


# -- geography


def geoip_of(zones: Path) -> Path:
    return zones.parent / "geoip"


def country_of(generation: Generation, address: bytes) -> bytes | None:
    database = generation.snapshot.geo.locator(needs_city=False)
    return None if database is None else database.find(address)[0].country


ADDRESS = bytes((192, 0, 2, 1))


def test_G104_a_database_that_comes_later_is_taken(zones: Path) -> None:
    """And one that changes, also by rename; and one that goes is gone."""
    first = loaded(zones)
    path = write_country(geoip_of(zones) / "GeoLite2-Country.mmdb", WORLD)
    second = loaded(zones, first)
    write_country(zones.parent / "new", {"192.0.2.0/24": city("NO")}).rename(path)
    third = loaded(zones, second)
    path.unlink()
    fourth = loaded(zones, third)

    assert [country_of(each, ADDRESS) for each in (first, second, third, fourth)] == [None, b"dk", b"no", None]


def test_G104_geolite2_wins_over_geoip2(zones: Path) -> None:
    """Where both are there."""
    write_country(geoip_of(zones) / "GeoIP2-Country.mmdb", {"192.0.2.0/24": city("SE")})
    only = loaded(zones)
    write_country(geoip_of(zones) / "GeoLite2-Country.mmdb", {"192.0.2.0/24": city("NO")})

    assert country_of(only, ADDRESS) == b"se"
    assert country_of(loaded(zones, only), ADDRESS) == b"no"


def test_a_broken_database_keeps_the_last_good_one(zones: Path) -> None:
    """And tells why."""
    path = write_country(geoip_of(zones) / "GeoLite2-Country.mmdb", WORLD)
    first = loaded(zones)
    path.write_bytes(path.read_bytes()[:1000])

    second = loaded(zones, first)

    assert country_of(second, ADDRESS) == b"dk"
    assert [problem.file for problem in second.errors()] == [str(path)]
    assert second.database_errors() == second.errors()


def test_databases_that_did_not_change_are_shared(zones: Path) -> None:
    """With all that they have decoded."""
    write_city(geoip_of(zones) / "GeoLite2-City.mmdb", WORLD)
    write_asn(geoip_of(zones) / "GeoLite2-ASN.mmdb", {})
    first = loaded(zones)
    write(zones, 1)

    assert loaded(zones, first).snapshot.geo is first.snapshot.geo


def test_G167_a_newer_city_database_moves_records_of_an_unchanged_zone(zones: Path) -> None:
    """Distances are those of the databases in service."""
    write(zones, 1, closest=True)
    path = write_city(geoip_of(zones) / "GeoLite2-City.mmdb", {"192.0.2.0/24": city("DK", at=(55.5, 12.5))})
    first = loaded(zones)
    write_city(zones.parent / "new", {"192.0.2.0/24": city("JP", at=(35.5, 139.5))}).rename(path)
    second = loaded(zones, first)

    assert zone(second) is zone(first)
    assert list(first.snapshot.coordinates.values()) == [((55.5, 12.5),)]
    assert list(second.snapshot.coordinates.values()) == [((35.5, 139.5),)]


def test_only_what_is_answered_by_distance_is_placed(zones: Path) -> None:
    """A zone without closest has no coordinates to keep."""
    write_city(geoip_of(zones) / "GeoLite2-City.mmdb", WORLD)
    write(zones, 1)

    assert loaded(zones).snapshot.coordinates == {}


def test_two_files_of_one_zone_are_told(zones: Path) -> None:
    """Names that differ in case alone are one zone; the last in alphabetical order serves, and both are named."""
    write(zones, 1)
    write(zones, 2, "EXAMPLE.com.json")

    generation = loaded(zones)

    (problem,) = generation.errors()
    assert problem.file.endswith("example.com.json")
    assert problem.found.endswith("EXAMPLE.com.json")


def test_a_file_that_could_not_be_read_is_tried_again(zones: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any change of it: what was in the way, such as too many open files, may be gone."""
    write(zones, 1)

    def refuse(path: Path) -> bytes:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as broken:
        broken.setattr("greendns.loader.read_file", refuse)
        first = loaded(zones)
    assert [problem.expected for problem in first.errors()] == ["must be a file that can be read: Too many open files"]
    assert first.unread() == {zones / FILE}

    second = loaded(zones, first)
    assert (second.errors(), serial(second), second.unread()) == ((), 1, frozenset())


def test_a_large_file_is_read_like_a_small_one(zones: Path) -> None:
    """It only passes through memory label by label: the same records, warnings and errors."""
    small = write(zones, 1, "small.json", data={"www": {"a": [["192.0.2.1", 5]], "b": 1}, "WWW": {"alias": "x"}})
    broken = write(zones, 1, "broken.json", data={"www": {"a": [["192.0.2.x"]]}, "x": 1})
    for path in (small, broken):
        (zones / f"large-{path.name}").write_text(path.read_text()[:-1] + " " * LARGE_OCTETS + "}")

    generation = loaded(zones)

    for kind in ("small", "broken"):
        one, other = [generation.zones[str(zones / f"{text}{kind}.json")] for text in ("", "large-")]
        assert one.errors or one.warnings
        assert [(each.place, each.expected) for each in one.errors] == [
            (each.place, each.expected) for each in other.errors
        ]
        assert [(each.place, each.expected) for each in one.warnings] == [
            (each.place, each.expected) for each in other.warnings
        ]
    assert serial(generation, "large-small") == 1
    assert generation.zones[str(zones / "large-broken.json")].zone is None
