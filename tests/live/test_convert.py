"""`greendns convert`: a pgeodns.conf becomes zone files, which answer the same."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.commands import run_here
from tests.serving import serving

CONF = """\
ns ns1.example.net 192.0.2.53
ttl 600

base example.com
host1   192.0.2.1   us north-america @
ftphost 192.0.2.4   ftp.us ftp.north-america ftp
v6      2001:db8::1 @

base example.net data.json
"""
DATA = """\
{ "serial": 5, # relaxed JSON has comments
  "data": {"": {"ns": {"ns2.example.org": null}}, "www": {"a": [["192.0.2.9", 1],]},}
}
"""


def convert(directory: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `greendns convert` in a directory."""
    return run_here("convert", *arguments, cwd=directory)


def write_pgeodns(directory: Path) -> Path:
    """A pgeodns.conf of two bases, one of them in JSON; both files are of the year 2001."""
    conf = directory / "pgeodns.conf"
    conf.write_text(CONF)
    (directory / "data.json").write_text(DATA)
    for file in (conf, directory / "data.json"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    return conf


def read(file: Path) -> dict[str, Any]:
    """A zone file."""
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def test_P40_one_zone_file_for_each_base(tmp_path: Path) -> None:
    """And none for the internal ones; the directory is made; each file written is told."""
    write_pgeodns(tmp_path)
    told = convert(tmp_path, "pgeodns.conf", "zones")

    assert told.returncode == 0
    assert sorted(path.name for path in (tmp_path / "zones").iterdir()) == ["example.com.json", "example.net.json"]
    assert told.stdout.splitlines() == ["zones/example.com.json: written", "zones/example.net.json: written"]


def test_P40_what_a_base_becomes(tmp_path: Path) -> None:
    """Hosts are addresses, name servers an object, numbers numbers; the serial is the files' time."""
    write_pgeodns(tmp_path)
    convert(tmp_path, "pgeodns.conf", "zones")
    zone = read(tmp_path / "zones" / "example.com.json")

    assert (zone["ttl"], zone["serial"], zone["mtime"]) == (600, 1_000_000_000, 1_000_000_000)
    assert zone["data"] == {
        "": {"ns": {"ns1.example.net.": "192.0.2.53"}, "a": [["192.0.2.1", 1]], "aaaa": [["2001:db8::1", 1]]},
        "us": {"a": [["192.0.2.1", 1]]},
        "north-america": {"a": [["192.0.2.1", 1]]},
        "ftp.us": {"a": [["192.0.2.4", 1]]},
        "ftp.north-america": {"a": [["192.0.2.4", 1]]},
        "ftp": {"a": [["192.0.2.4", 1]]},
    }


def test_P41_only_what_is_newer_is_written(tmp_path: Path) -> None:
    """A file that is not older than its base stays as it is, which is told."""
    conf = write_pgeodns(tmp_path)
    convert(tmp_path, "pgeodns.conf", "zones")
    output = tmp_path / "zones" / "example.com.json"
    output.write_text("{}")
    told = convert(tmp_path, "pgeodns.conf", "zones")

    assert output.read_text() == "{}"
    assert "zones/example.com.json: not older than its base, left as it is" in told.stdout
    os.utime(conf, (4_000_000_000, 4_000_000_000))
    convert(tmp_path, "pgeodns.conf", "zones")
    assert read(output)["mtime"] == 4_000_000_000


def test_P41_no_temporary_file_is_left(tmp_path: Path) -> None:
    """A server that watches the directory sees whole files only."""
    write_pgeodns(tmp_path)
    convert(tmp_path, "pgeodns.conf", "zones")

    assert [path for path in (tmp_path / "zones").iterdir() if path.suffix != ".json"] == []


def test_converted_zones_pass_the_check(tmp_path: Path) -> None:
    """With one remark: the address of a name server has no effect, in geodns neither."""
    write_pgeodns(tmp_path)
    convert(tmp_path, "pgeodns.conf", "zones")
    told = run_here("check", "--zones", "zones", cwd=tmp_path)

    assert told.returncode == 0
    assert 'is ignored, as in geodns, found "192.0.2.53"' in told.stdout
    assert told.stdout.endswith("2 zones, 0 errors, 1 warning\n")


def test_P42_converted_or_not_the_answers_are_the_same(tmp_path: Path, world: Path) -> None:
    """The conversion is what a pgeodns.conf is served through."""
    before, after = tmp_path / "before", tmp_path / "after"
    for directory in (before, after):
        directory.mkdir()
    write_pgeodns(before)
    convert(before, "pgeodns.conf", after / "zones")

    def answers(directory: Path) -> list[str]:
        arguments = ("--geoip", str(world))
        with serving(directory, arguments=arguments) as server:
            asked = [
                server.ask(name, rrtype, subnet="203.0.113.0/26")
                for name in ("example.com", "ftp.example.com", "nosuch.example.com", "www.example.net", "example.net")
                for rrtype in ("A", "AAAA", "NS", "SOA")
            ]
        return ["\n".join(str(rrset) for rrset in (*answer.answer, *answer.authority)) for answer in asked]

    # The relaxed JSON is found beside the file that names it, from wherever the server was started.
    assert answers(before) == answers(after)


def test_a_broken_file_ends_with_status_2_and_writes_nothing(tmp_path: Path) -> None:
    """Every problem with its file and line."""
    (tmp_path / "pgeodns.conf").write_text(
        "ns ns1.example.net\nbase example.com\nhost1 nonsense www\nhost2 192.0.2.1\n"
    )
    told = convert(tmp_path, "pgeodns.conf", "zones")

    assert told.returncode == 2
    assert [line.split(": ")[1:3] for line in told.stderr.splitlines()] == [
        ["pgeodns.conf", "line 3"],
        ["pgeodns.conf", "line 4"],
    ]
    assert not (tmp_path / "zones").exists()


def test_a_file_that_is_not_there_ends_with_status_2(tmp_path: Path) -> None:
    """One line."""
    told = convert(tmp_path, "nosuch.conf", "zones")

    assert told.returncode == 2
    assert told.stderr == "greendns: nosuch.conf: must be a readable file: No such file or directory\n"


def test_a_directory_that_cannot_be_made_ends_with_status_2(tmp_path: Path) -> None:
    """A file lies in its place."""
    write_pgeodns(tmp_path)
    (tmp_path / "zones").touch()
    told = convert(tmp_path, "pgeodns.conf", "zones")

    assert told.returncode == 2
    assert len(told.stderr.splitlines()) == 1
    assert "zones" in told.stderr


def test_what_will_be_answered_differently_is_told(tmp_path: Path) -> None:
    """A cname without a final dot is read otherwise by geodns."""
    write_pgeodns(tmp_path)
    (tmp_path / "data.json").write_text('{"data": {"": {"ns": "ns2.example.org"}, "www": {"cname": "other"}}}')
    told = convert(tmp_path, "pgeodns.conf", "zones")

    assert told.returncode == 0
    assert 'cname of "www" has no final dot' in told.stdout
