"""A pgeodns.conf is told again as geodns zone documents, and written as files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from greendns import convert
from greendns.errors import ConfigError
from tests.pgeodnsfiles import NS, Write, document, writer


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path)


def run(path: Path, outdir: Path) -> tuple[list[str], list[str]]:
    """Names written, and the report without directories."""
    lines: list[str] = []
    written = convert.convert(path, outdir, lines.append, path.parent)
    return [file.name for file in written], [line.replace(f"{outdir}{os.sep}", "") for line in lines]


def test_P40_internal_keys_and_soa_are_removed(write: Write) -> None:
    """Numbers are numbers, zero and null are not set, and mtime is the base's."""
    write(
        "e.json",
        '{"base": "x", "hosts": {}, "json_config": 1, "primary_ns": "ns1.example.net", "files": [], "internal": 1,'
        ' "mtime": 3, "ttl": "60", "serial": 7.9, "max_hosts": 0, "contact": "a.example.com",'
        ' "data": {"": {"soa": "x", "ns": "ns1.example.net"}}}',
        200,
    )
    path = write("p.conf", "base example.com e.json", 100)

    assert document(path) == {
        "ttl": 60,
        "serial": 7,
        "contact": "a.example.com",
        "mtime": 200,
        "data": {"": {"ns": {"ns1.example.net": None}}},
    }


def test_P40_the_sample_of_pgeodns(write: Write) -> None:
    """The test vector: what the original's converter made of its sample."""
    path = write(
        "pgeodns.conf",
        """
        ns ns1.ddns.develooper.com 127.0.0.1
        ttl 600
        base example.com
        host1   192.0.2.1   us north-america @
        ftphost 192.0.2.4   ftp.us ftp.north-america ftp
        """,
        1_200_000_000,
    )

    host1, ftphost = {"a": [["192.0.2.1", 1]]}, {"a": [["192.0.2.4", 1]]}
    assert {
        "ttl": 600,
        "serial": 1_200_000_000,
        "mtime": 1_200_000_000,
        "data": {
            "": {"ns": {"ns1.ddns.develooper.com.": "127.0.0.1"}, **host1},
            "us": host1,
            "north-america": host1,
            "ftp.us": ftphost,
            "ftp.north-america": ftphost,
            "ftp": ftphost,
        },
    } == document(path)


def test_P41_only_what_is_newer_is_written(write: Write, tmp_path: Path) -> None:
    """One file for each base; a second run leaves them alone until the base is newer."""
    path = write("p.conf", NS + "base example.com\nbase example.org\nh1 192.0.2.1 us", 1000)
    out = tmp_path / "out"

    assert run(path, out)[0] == ["example.com.json", "example.org.json"]
    assert (run(path, out)[0], len(run(path, out)[1])) == ([], 2)
    os.utime(out / "example.com.json", (999, 999))
    assert run(path, out)[0] == ["example.com.json"]
    assert sorted(file.name for file in out.iterdir()) == ["example.com.json", "example.org.json"]


def test_P41_the_output_is_readable_json_in_the_order_of_the_file(write: Write, tmp_path: Path) -> None:
    """One line for each setting and each label, the apex first."""
    path = write("p.conf", NS + "base example.com\nmax_hosts 3\nh1 192.0.2.1 us @", 1000)
    run(path, tmp_path / "out")

    text = (tmp_path / "out/example.com.json").read_text()
    assert document(path) == json.loads(text)
    assert text.splitlines() == [
        "{",
        '  "ttl": 180,',
        '  "serial": 1000,',
        '  "max_hosts": 3,',
        '  "mtime": 1000,',
        '  "data": {',
        '    "": {"ns": {"ns1.example.net.": null}, "a": [["192.0.2.1", 1]]},',
        '    "us": {"a": [["192.0.2.1", 1]]}',
        "  }",
        "}",
    ]


def test_P41_a_failed_write_leaves_the_old_output(write: Write, tmp_path: Path, monkeypatch: Any) -> None:
    """What was there stays whole, and no temporary file is left."""
    path = write("p.conf", NS + "base example.com")
    old = write("out/example.com.json", "old", 1)

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(ConfigError, match="must be writable: No space left on device"):
        run(path, tmp_path / "out")

    assert old.read_text() == "old"
    assert [old] == list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("outdir", ["p.conf", "p.conf/out", "absent/out"])
def test_P41_an_output_directory_that_cannot_be_is_a_problem(write: Write, tmp_path: Path, outdir: str) -> None:
    """A file, something below a file, and a directory in one that is missing."""
    path = write("p.conf", NS + "base example.com")

    with pytest.raises(ConfigError, match=f"{outdir}: must be a directory: "):
        run(path, tmp_path / outdir)


@pytest.mark.parametrize("name", ["../evil", "0/25.2.0.192.in-addr.arpa", "."])
def test_P41_a_base_that_is_no_file_name_is_a_problem(write: Write, tmp_path: Path, name: str) -> None:
    """Nothing is written outside the output directory, nor anything before all names are known to be good."""
    path = write("p.conf", NS + f"base example.com\nbase {name}")

    with pytest.raises(ConfigError):
        run(path, tmp_path / "out")

    assert [path] == list(tmp_path.iterdir())


def test_P42_what_would_be_answered_otherwise_is_reported(write: Write, tmp_path: Path) -> None:
    """A cname without a final dot, and a primary_ns that the zone format can't hold."""
    write("e.json", '{"data": {"www": {"cname": "a.example.net"}, "ok": {"cname": "a.example.net."}}}')
    path = write("p.conf", NS + "base example.com e.json\nprimary_ns b.example.net")

    assert run(path, tmp_path / "out")[1] == [
        "example.com. primary_ns b.example.net is not an ns: the SOA will name ns1.example.net.",
        'example.com. cname of "www" has no final dot: read as a.example.net.example.com.',
        "example.com.json: written",
    ]


def test_the_example_of_the_migration_page_is_a_configuration(write: Write) -> None:
    """docs/migrating-from-pgeodns.md shows one, in a fenced block with a `base` line."""
    page = (Path(__file__).parents[2] / "docs/migrating-from-pgeodns.md").read_text(encoding="utf-8")
    (example,) = [block for block in page.split("```")[1::2] if "\nbase " in block]

    assert {"", "us", "ftp.us"} < set(document(write("pgeodns.conf", example))["data"])
