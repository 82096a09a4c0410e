"""`greendns check`: everything that is wrong, before a server has to load it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.commands import run_here
from tests.serving import ROOT, run_command, write_zones

GOOD = {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.1"]]}}}
WRONG_WEIGHT = {"data": {"www.dk": {"a": [["192.0.2.1"], ["192.0.2.2", "10x"]]}}}


def check(directory: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `greendns check` in a directory."""
    return run_here("check", *arguments, cwd=directory)


def check_zone(directory: Path, zone: object) -> subprocess.CompletedProcess[str]:
    """Check one file, example.com.json."""
    write_zones(directory, {"example.com": zone})
    return check(directory, "example.com.json")


# -- errors


def test_a_good_directory(tmp_path: Path) -> None:
    """Status 0, and how much there was."""
    write_zones(tmp_path / "zones", {"example.com": GOOD, "example.net": GOOD})
    told = check(tmp_path, "--config", ".")

    assert (told.returncode, told.stdout, told.stderr) == (0, "2 zones, 0 errors, 0 warnings\n", "")


def test_the_status_of_the_process(tmp_path: Path) -> None:
    """0 or 1, for a deploy script."""
    write_zones(tmp_path, {"example.com": GOOD, "example.net": WRONG_WEIGHT})

    assert run_command("check", "example.com.json", cwd=tmp_path).returncode == 0
    assert run_command("check", "example.net.json", cwd=tmp_path).returncode == 1


def test_an_error_is_told_with_file_place_expectation_and_value(tmp_path: Path) -> None:
    """Status 1."""
    write_zones(tmp_path / "zones", {"example.com": WRONG_WEIGHT})
    told = check(tmp_path, "--config", ".")

    assert told.returncode == 1
    assert told.stdout.splitlines() == [
        'zones/example.com.json: data."www.dk".a[1]: weight must be an integer >= 0, found "10x"',
        "0 zones, 1 error, 0 warnings",
    ]


def test_every_error_of_every_file_is_told(tmp_path: Path) -> None:
    """Several in one file, others in others, and the good zones are counted."""
    two = {"ttl": -1, "data": {"www": {"a": [["192.0.2.300"]], "mx": [{"mx": "mail", "preference": 70000}]}}}
    write_zones(tmp_path / "zones", {"example.com": two, "example.net": WRONG_WEIGHT, "example.org": GOOD})
    told = check(tmp_path, "--config", ".")

    assert told.returncode == 1
    for words in (
        "example.com.json: ttl:",
        '"www".a[0]',
        "192.0.2.300",
        "70000",
        "example.net.json",
        "1 zone, 4 errors",
    ):
        assert words in told.stdout


def test_broken_json_is_told_with_line_column_and_the_line_itself(tmp_path: Path) -> None:
    """So that it can be found."""
    told = check_zone(tmp_path, '{\n  "ttl": 300,\n  "data": {"www": {"a": [["192.0.2.1"],]}}\n}\n')

    assert told.returncode == 1
    error = told.stdout.splitlines()[0]
    assert error.startswith("example.com.json: line 3 column ")
    assert '"data": {"www": {"a": [["192.0.2.1"],]}}' in error


@pytest.mark.parametrize("text", ["", "{", '{"data": {"www": ', "[]", "null", "\0"])
def test_a_file_that_is_no_zone(tmp_path: Path, text: str) -> None:
    """Status 1, one error, no traceback."""
    told = check_zone(tmp_path, text)

    assert told.returncode == 1
    assert "1 error," in told.stdout
    assert told.stderr == ""


# -- single files


def test_single_files(tmp_path: Path) -> None:
    """Only those that are named, wherever they are, and without a configuration."""
    write_zones(tmp_path, {"example.com": GOOD, "example.net": WRONG_WEIGHT})
    assert check(tmp_path, "example.com.json").returncode == 0
    told = check(tmp_path, tmp_path / "example.com.json", "example.net.json")

    assert told.returncode == 1
    assert told.stdout.startswith('example.net.json: data."www.dk".a[1]: ')
    assert told.stdout.endswith("1 zone, 1 error, 0 warnings\n")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """An error like any other."""
    told = check(tmp_path, "nosuch.json")

    assert told.returncode == 1
    assert told.stdout.startswith("nosuch.json: must be a file that can be read")


# -- warnings


@pytest.mark.parametrize(
    ("zone", "place"),
    [
        ({"nosuch": 1}, "nosuch"),
        ({"data": {"www": {"nosuch": 1}}}, 'data."www".nosuch'),
        ({"data": {"www": {"dname": ["example.net."]}}}, 'data."www".dname'),
        ({"data": {"www": {"a": [["192.0.2.1"]]}, "WWW": {"a": [["192.0.2.2"]]}}}, 'data."WWW"'),
        ({"data": {"www": {"alias": "nosuch"}}}, 'data."www".alias'),
        ({"data": {"www": {"alias": "www"}}}, 'data."www".alias'),
        ({"data": {"a": {"alias": "b"}, "b": {"alias": "c"}, "c": {"alias": "a"}}}, 'data."a".alias'),
    ],
    ids=["zone-key", "label-key", "record-type", "equal-labels", "alias-target", "alias-itself", "alias-loop"],
)
def test_what_geodns_would_silently_ignore_is_a_warning(tmp_path: Path, zone: object, place: str) -> None:
    """With its place; the status stays 0."""
    told = check_zone(tmp_path, zone)

    assert told.returncode == 0
    assert f"warning: example.com.json: {place}: " in told.stdout
    assert "0 errors" in told.stdout


def test_repeated_keys_are_a_warning(tmp_path: Path) -> None:
    """The last one counts (G048)."""
    told = check_zone(tmp_path, '{"ttl": 1, "ttl": 2, "data": {"www": {}, "www": {}}}')

    assert told.returncode == 0
    assert "warning: example.com.json: ttl: " in told.stdout
    assert 'warning: example.com.json: data."www": ' in told.stdout


# -- as serve would


def test_the_configuration_is_checked(tmp_path: Path) -> None:
    """All that is wrong with it, with status 1."""
    (tmp_path / "greendns.toml").write_text('[server]\nworkers = -1\nnosuch = 1\n[http]\nlisten = "8053"\n')
    told = check(tmp_path, "--config", "greendns.toml")

    assert told.returncode == 1
    for name in ("server.workers", "server.nosuch", "http.listen"):
        assert f"greendns.toml: {name}: must be" in told.stdout
    assert "3 errors" in told.stdout


def test_the_databases_are_checked(tmp_path: Path) -> None:
    """A file that isn't one is an error."""
    write_zones(tmp_path / "zones", {"example.com": GOOD})
    (tmp_path / "GeoLite2-City.mmdb").write_bytes(b"nothing")
    told = check(tmp_path, "--config", ".", "--geoip", ".")

    assert told.returncode == 1
    assert told.stdout.startswith("GeoLite2-City.mmdb: must be a MaxMind City database")


def test_the_zone_directory_must_be_there(tmp_path: Path) -> None:
    """Status 1, as for all else that is wrong."""
    told = check(tmp_path, "--config", ".", "--zones", "nosuch")

    assert told.returncode == 1
    assert told.stdout.startswith("nosuch: must be a directory that can be read")


def test_zones_can_be_told_without_a_configuration(tmp_path: Path) -> None:
    """On a machine where nothing is installed yet."""
    write_zones(tmp_path / "zones", {"example.com": GOOD})

    assert check(tmp_path, "--zones", "zones").stdout.startswith("1 zone, 0 errors")


def test_a_directory_of_geodns_is_checked_as_it_is(tmp_path: Path) -> None:
    """With its geodns.conf beside its zones; what has no effect is a warning."""
    write_zones(tmp_path, {"example.com": GOOD})
    (tmp_path / "geodns.conf").write_text("[pingdom]\nusername = someone\n")
    told = check(tmp_path, "--config", ".")

    assert told.returncode == 0
    assert told.stdout.startswith("warning: geodns.conf: pingdom.username: ")
    assert told.stdout.endswith("1 zone, 0 errors, 1 warning\n")


def test_a_pgeodns_conf_is_checked_through_its_conversion(tmp_path: Path) -> None:
    """Its own errors, and those of what it becomes."""
    conf = tmp_path / "pgeodns.conf"
    conf.write_text("ns ns1.example.net\nbase example.com\nhost1 192.0.2.1 www\n")
    assert check(tmp_path, "--config", ".").stdout == "1 zone, 0 errors, 0 warnings\n"
    conf.write_text("ns ns1.example.net\nbase example.com\nhost1 192.0.2.1\n")
    told = check(tmp_path, "--config", ".")

    assert told.returncode == 1
    assert told.stdout.startswith("pgeodns.conf: line 3: ")


def test_two_configurations_in_one_directory_are_an_error(tmp_path: Path) -> None:
    """Both are named."""
    for name in ("greendns.toml", "geodns.conf"):
        (tmp_path / name).touch()
    told = check(tmp_path, "--config", ".")

    assert told.returncode == 1
    assert "greendns.toml and geodns.conf" in told.stdout


def test_what_passes_is_served(tmp_path: Path) -> None:
    """The sample zones of the repository pass, without a warning."""
    told = check(tmp_path, "--config", ROOT / "conf")

    assert told.returncode == 0, told.stdout
    assert " 0 errors, 0 warnings" in told.stdout


def test_the_files_are_only_read(tmp_path: Path) -> None:
    """Nothing is written beside them."""
    write_zones(tmp_path, {"example.com": GOOD})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    check(tmp_path, "example.com.json")

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert json.loads(before["example.com.json"]) == GOOD
