"""Finding, opening and refusing MaxMind databases."""

from __future__ import annotations

import io
import random
from dataclasses import asdict
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import maxminddb
import pytest
from mmdb_writer import Encoder

from greendns import geoip
from greendns.errors import ConfigError
from greendns.geography import Database, Kind
from greendns.geoip import find_files, open_database
from greendns.place import NOWHERE
from tests.databases import BUILD_EPOCH, WORLD, city, write_asn, write_city, write_database, write_world

MARKER = b"\xab\xcd\xefMaxMind.com"


@pytest.fixture
def world(tmp_path: Path) -> bytes:
    """The octets of a good City database."""
    return write_city(tmp_path / "world.mmdb", WORLD).read_bytes()


def _touch(directory: Path, *names: str) -> Path:
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / name).write_bytes(b"")
    return directory


def _problem(path: Path, kind: Kind = "City") -> str:
    """The one line that opening a file is refused with."""
    with pytest.raises(ConfigError) as caught:
        open_database(path, kind)
    (problem,) = caught.value.problems
    assert str(path) == problem.file
    return str(problem)


def _save(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "GeoLite2-City.mmdb"
    path.write_bytes(content)
    return path


def _with_metadata(content: bytes, **changes: Any) -> bytes:
    """The same database with other metadata; None leaves a field out."""
    fields = asdict(maxminddb.open_database(io.BytesIO(content), maxminddb.MODE_FD).metadata())
    present = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    return content[: content.rindex(MARKER)] + MARKER + Encoder(cache=False).encode(present)


def test_a_missing_directory_has_no_databases(tmp_path: Path) -> None:
    """Nor has none at all."""
    assert find_files(tmp_path / "missing") == {}
    assert find_files(None) == {}


def test_G104_both_families_of_names_are_found(tmp_path: Path) -> None:
    """Each kind of database for itself."""
    directory = _touch(tmp_path, "GeoIP2-City.mmdb", "GeoLite2-Country.mmdb", "GeoIP2-ASN.mmdb")

    assert {
        "City": directory / "GeoIP2-City.mmdb",
        "Country": directory / "GeoLite2-Country.mmdb",
        "ASN": directory / "GeoIP2-ASN.mmdb",
    } == find_files(directory)


def test_G104_geolite2_wins(tmp_path: Path) -> None:
    """Where both exist."""
    directory = _touch(tmp_path, "GeoIP2-City.mmdb", "GeoLite2-City.mmdb")

    assert {"City": directory / "GeoLite2-City.mmdb"} == find_files(directory)


def test_G104_names_are_taken_as_they_are_written(tmp_path: Path) -> None:
    """Another case or a directory of that name is no database."""
    directory = _touch(tmp_path, "geolite2-city.mmdb")
    (directory / "GeoLite2-ASN.mmdb").mkdir()

    assert find_files(directory) == {}


@pytest.mark.parametrize("kind", ["City", "Country", "ASN"])
def test_a_good_database_is_opened(tmp_path: Path, kind: Kind) -> None:
    """It knows its kind, where it came from and when it was built."""
    path = find_files(write_world(tmp_path))[kind]

    database = open_database(path, kind)

    assert (kind, str(path), BUILD_EPOCH) == (database.kind, database.path, database.build_epoch)
    assert database.find(ip_address("192.0.2.1").packed)[0] != NOWHERE


@pytest.mark.parametrize("record_size", [24, 28, 32])
@pytest.mark.parametrize("ip_version", [4, 6])
def test_every_size_and_version_is_opened(tmp_path: Path, record_size: int, ip_version: int) -> None:
    """Nodes of 24, 28 and 32 bits, trees of IPv4 and IPv6."""
    networks = {"192.0.2.0/24": city("DK", subdivision="84")}
    path = write_city(tmp_path / "city.mmdb", networks, record_size, ip_version)

    place, prefix_length = open_database(path, "City").find(bytes([192, 0, 2, 1]))

    assert (place.region, prefix_length) == (b"dk-84", 24)


def test_a_database_lives_on_without_its_file(tmp_path: Path) -> None:
    """It is in memory: a file that is cut short or removed later takes no answer with it."""
    path = write_city(tmp_path / "city.mmdb", WORLD)
    database = open_database(path, "City")
    path.write_bytes(b"")
    path.unlink()

    assert database.find(bytes([192, 0, 2, 1]))[0].country == b"dk"


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """The line has the reason of the operating system."""
    missing = tmp_path / "missing.mmdb"

    assert f"{missing}: must be a file that can be read: No such file or directory" == _problem(missing)
    assert "must be a file that can be read" in _problem(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a database", bytes(4096), MARKER, MARKER + b"\xff", MARKER + b"\x00"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    """In one line."""
    line = _problem(_save(tmp_path, content))

    assert "must be a MaxMind City database" in line
    assert "\n" not in line


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path, world: bytes) -> None:
    """Half-written, to the last octet."""
    path = tmp_path / "GeoLite2-City.mmdb"
    for octets in [*range(0, len(world), 97), *range(world.rindex(MARKER), len(world))]:
        path.write_bytes(world[:octets])

        assert str(path) in _problem(path)


def test_a_file_written_over_another_is_refused(tmp_path: Path, world: bytes) -> None:
    """The first half of a new file and the rest of the old one, whose metadata is whole."""
    other = write_city(tmp_path / "other.mmdb", {"2001:db8::/32": city("SE")}).read_bytes()
    half = len(other) // 2

    assert "16 zero octets must follow" in _problem(_save(tmp_path, world[:half] + other[half:]))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"node_count": 2**31}, "must be a MaxMind City database, found InvalidDatabaseError"),
        ({"node_count": 0}, "must be a MaxMind City database: node_count must be an integer >= 1, found 0"),
        ({"node_count": 100}, "16 zero octets must follow the search tree"),
        ({"node_count": "many"}, "must be a MaxMind City database, found TypeError"),
        ({"node_count": None}, "must be a MaxMind City database, found TypeError"),
        ({"record_size": 16}, "found InvalidDatabaseError: Unknown record size: 16"),
        ({"record_size": 28}, "16 zero octets must follow the search tree"),
        ({"ip_version": 5}, "ip_version must be 4 or 6, found 5"),
        ({"ip_version": True}, "ip_version must be an integer, found True"),
        ({"build_epoch": "now"}, "build_epoch must be an integer, found 'now'"),
        ({"build_epoch": None}, "must be a MaxMind City database, found TypeError"),
        ({"binary_format_major_version": 3}, "the format's major version must be 2, found 3"),
        ({"database_type": None}, "must be a MaxMind City database, found TypeError"),
    ],
)
def test_metadata_that_is_not_sane_is_refused(
    tmp_path: Path, world: bytes, changes: dict[str, Any], expected: str
) -> None:
    """Numbers that are missing, of another type, or not those of this tree; one line tells it."""
    line = _problem(_save(tmp_path, _with_metadata(world, **changes)))

    assert expected in line
    assert "\n" not in line


def test_metadata_written_anew_is_taken(tmp_path: Path, world: bytes) -> None:
    """What the test above refuses is refused for its change alone."""
    path = _save(tmp_path, _with_metadata(world, build_epoch=1))

    assert open_database(path, "City").build_epoch == 1


@pytest.mark.parametrize(
    ("database_type", "kind"),
    [("GeoLite2-ASN", "City"), ("GeoLite2-Country", "City"), ("GeoLite2-ASN", "Country"), ("GeoIP2-City", "ASN")],
)
def test_a_database_of_another_kind_is_refused(tmp_path: Path, database_type: str, kind: Kind) -> None:
    """It would be read without an error, and no client would have a target."""
    path = write_database(tmp_path / "test.mmdb", database_type, WORLD)

    assert f"database_type must not name another kind, found {database_type}" in _problem(path, kind)


@pytest.mark.parametrize(
    "database_type", ["GeoIP2-City-Europe", "DBIP-City-Lite", "GeoIP2-Precision-Enterprise", "Own"]
)
def test_a_database_of_another_maker_is_taken(tmp_path: Path, database_type: str) -> None:
    """Its type names this kind, or none."""
    path = write_database(tmp_path / "test.mmdb", database_type, WORLD)

    assert open_database(path, "City").find(bytes([192, 0, 2, 1]))[0].country == b"dk"


def test_a_city_database_serves_as_country_database(tmp_path: Path) -> None:
    """It says all that a Country database says."""
    path = write_city(tmp_path / "GeoLite2-Country.mmdb", WORLD)

    assert open_database(path, "Country").find(bytes([192, 0, 2, 1]))[0].country == b"dk"


def test_a_record_that_cannot_be_decoded_is_refused(tmp_path: Path, world: bytes) -> None:
    """Here a text that is not UTF-8."""
    damaged = world.replace(b"Country DK", b"Country \xff\xfe")

    assert "UnicodeDecodeError" in _problem(_save(tmp_path, damaged))


@pytest.mark.parametrize("damage", [b"B\xff", b"\x00\xff", b"\xff\xff"])
def test_a_record_damaged_beyond_the_checks_is_nowhere(
    tmp_path: Path, world: bytes, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    """Large files are checked in places: a bad record found later takes away one place, not the answer."""
    monkeypatch.setattr(geoip, "_SAMPLED_NODES", 1)
    # The header of a text and its first octet: not UTF-8, no type that there is, a size beyond the file.
    start = world.index(b"BDK")
    damaged = world[:start] + damage + world[start + 2 :]

    database = open_database(_save(tmp_path, damaged), "City")

    assert database.find(bytes([192, 0, 2, 1])) == (NOWHERE, 24)
    assert database.find(bytes([203, 0, 113, 200]))[0].country == b"jp"


def test_a_pointer_out_of_the_data_section_is_refused(tmp_path: Path) -> None:
    """The last record of the tree points beyond the file."""
    path = write_asn(tmp_path / "asn.mmdb", {"255.255.255.255/32": {}}, ip_version=4)
    content = path.read_bytes()
    tree_octets = 32 * 6

    path.write_bytes(content[: tree_octets - 3] + b"\xff\xff\xff" + content[tree_octets:])

    assert "the search tree must point to its records" in _problem(path, "ASN")


@pytest.mark.parametrize("seed", range(4))
def test_a_file_with_wrong_octets_raises_nothing_but_config_error(tmp_path: Path, world: bytes, seed: int) -> None:
    """Opened or refused: whatever the octets are, look-ups in what was opened raise nothing."""
    rng = random.Random(seed)
    opened = 0
    for _ in range(100):
        damaged = bytearray(world)
        for _ in range(rng.choice((1, 1, 8))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        database = _open_or_none(_save(tmp_path, bytes(damaged)))
        if database:
            opened += 1
            prefix_lengths = [database.find(ip_network(network)[1].packed)[1] for network in WORLD]
            assert max(prefix_lengths) <= 128

    assert 0 < opened < 100


def _open_or_none(path: Path) -> Database | None:
    try:
        return open_database(path, "City")
    except ConfigError:
        return None
