"""pgeodns.conf is read as pgeodns 1.41 read it: lines, includes, defaults, and what is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns import convert, pgeodns
from greendns.errors import ConfigError
from tests.pgeodnsfiles import NS, Write, document, problems, read, writer


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path)


def test_P01_white_space_empty_lines_and_comments_are_skipped(write: Write) -> None:
    """Lines are stripped; a `#` starts a comment only at the start of a line, even in Latin-1."""
    path = write("p.conf", b"\n  # caf\xe9\n\t" + NS.encode() + b"base example.com \r\n  h1 192.0.2.1 us # x\r\n")

    assert document(path)["data"]["us"]["a"] == [["192.0.2.1", 1]]
    assert {"", "us", "#", "x"} == set(document(path)["data"])


def test_P02_end_ends_the_current_file_only(write: Write) -> None:
    """The parent goes on after its `include`."""
    write("a.inc", "h1 192.0.2.1 us\n__END__\nnonsense")
    path = write("p.conf", NS + "base example.com\ninclude a.inc\nh2 192.0.2.2 us\n__END__\nnonsense")

    assert document(path)["data"]["us"]["a"] == [["192.0.2.1", 1], ["192.0.2.2", 1]]


def test_P03_base_gets_a_final_dot_and_keeps_its_case(write: Write) -> None:
    """`base Example.com` is the base `Example.com.`; one with a dot stays as it is."""
    path = write("p.conf", NS + "base Example.com\nbase example.org.\n")

    assert [name for name, base in read(path).bases.items() if not base.is_internal] == ["Example.com.", "example.org."]


def test_P05_base_again_keeps_what_it_has(write: Write) -> None:
    """A second `base` without a JSON file goes on where the first one ended."""
    path = write(
        "p.conf", NS + "base example.com\nh1 192.0.2.1 us\nbase example.org\nbase example.com\nh2 192.0.2.2 us"
    )

    assert document(path)["data"]["us"]["a"] == [["192.0.2.1", 1], ["192.0.2.2", 1]]


def test_P06_the_base_carries_into_an_include_and_out_of_it(write: Write) -> None:
    """The same file may be included twice in sequence; a `base` in it stays current after it."""
    write("a.inc", "h1 192.0.2.1 us")
    write("b.inc", "base example.org")
    path = write("p.conf", NS + "base example.com\ninclude a.inc\ninclude a.inc\ninclude b.inc\nh2 192.0.2.2 us")

    assert document(path)["data"]["us"]["a"] == [["192.0.2.1", 1], ["192.0.2.1", 1]]
    assert document(path, "example.org")["data"]["us"]["a"] == [["192.0.2.2", 1]]


def test_P06_a_recursive_include_is_refused(write: Write) -> None:
    """The file is told with its parents, also if it is spelled otherwise."""
    write("a.inc", "\ninclude ./p.conf")
    path = write("p.conf", NS + "include a.inc\nbase example.com")

    (problem,) = problems(path)
    assert problem.startswith("a.inc: line 2: Recursive inclusion of ./p.conf: parents ")


def test_P06_relative_names_start_at_the_working_directory(write: Write, tmp_path: Path) -> None:
    """The directory comes first; a file that isn't there is taken from beside the file that names it."""
    write("cwd/a.inc", "h1 192.0.2.1 us")
    write("conf/a.inc", "h1 192.0.2.99 us")
    write("conf/sub/b.inc", "include c.inc")
    write("conf/sub/c.inc", "h2 192.0.2.2 us")
    path = write("conf/p.conf", NS + "base example.com\ninclude a.inc\ninclude sub/b.inc")

    found = pgeodns.read(path, tmp_path / "cwd")

    assert found.bases["example.com."].data["us"]["a"] == [["192.0.2.1", 1], ["192.0.2.2", 1]]


def test_P06_the_working_directory_is_the_default(write: Write, tmp_path: Path, monkeypatch: Any) -> None:
    """Without a directory, names are relative to where the process is."""
    write("a.inc", "base example.com")
    monkeypatch.chdir(tmp_path)

    assert "example.com." in pgeodns.read(write("conf/p.conf", NS + "include a.inc")).bases


def test_P07_defaults_stand_before_the_first_base(write: Write) -> None:
    """ns, serial, ttl, primary_ns and include are taken there."""
    write("a.inc", "ttl 44")
    path = write(
        "p.conf", "ns a.example.net 192.0.2.53\nserial 5\ninclude a.inc\nprimary_ns b.example.net\nbase example.com"
    )

    base = read(path).bases["example.com."]
    assert (base.ttl, base.primary_ns, base.ns) == (44, "b.example.net", {"a.example.net.": "192.0.2.53"})


@pytest.mark.parametrize("line", ["max_hosts 3", "h1 192.0.2.1 us", "base", "ttl"])
def test_P07_anything_else_before_a_base_is_refused(write: Write, line: str) -> None:
    """Also max_hosts, and a keyword without a value."""
    (problem,) = problems(write("p.conf", line))

    assert problem.startswith("p.conf: line 1: Bad configuration, no base defined: ")
    assert problem.endswith(f', found "{line}"')


def test_P08_a_base_has_settings_of_its_own(write: Write) -> None:
    """ns, serial, ttl, primary_ns and max_hosts inside a base are for that base only."""
    path = write(
        "p.conf",
        NS + "base example.com\nns a.example.net\nserial 7\nttl 8\nmax_hosts 9\n"
        "primary_ns b.example.net\nbase example.org",
        60,
    )

    base, other = list(read(path).bases.values())[:2]
    assert (
        base.serial,
        base.ttl,
        base.max_hosts,
        base.primary_ns,
        base.ns,
    ) == (7, 8, 9, "b.example.net", {"a.example.net.": None})
    assert (other.serial, other.ttl, other.max_hosts) == (60, 180, None)


def test_P09_the_first_ns_of_a_base_clears_those_of_its_json(write: Write) -> None:
    """Once per file: the second one adds, and the first of an included file clears again."""
    write("e.json", '{"data": {"": {"ns": ["old.example.net"], "mx": [{"mx": "."}]}}}')
    write("a.inc", "ns c.example.net\nns d.example.net")
    lines = "base example.com e.json\nns a.example.net\nns b.example.net\n"

    twice = document(write("p.conf", lines))["data"][""]
    again = document(write("q.conf", lines + "include a.inc\nns e.example.net"))["data"][""]

    assert twice == {"ns": {"a.example.net.": None, "b.example.net.": None}, "mx": [{"mx": "."}]}
    assert {"c.example.net.", "d.example.net.", "e.example.net."} == set(again["ns"])


def test_P09_base_resets_the_flag(write: Write) -> None:
    """After another `base` line the first `ns` clears again."""
    path = write("p.conf", "base example.com\nns a.example.net\nbase example.com\nns b.example.net")

    assert document(path)["data"][""]["ns"] == {"b.example.net.": None}


def test_P10_the_first_ns_is_the_primary(write: Write) -> None:
    """It gets a final dot, while `primary_ns` is taken literally; the primary is the document's first NS."""
    first = write("p.conf", "base example.com\nns b.example.net\nns a.example.net")
    named = write("q.conf", "base example.com\nprimary_ns a.example.net\nns b.example.net\nns a.example.net")

    assert read(first).bases["example.com."].primary_ns == "b.example.net."
    assert read(named).bases["example.com."].primary_ns == "a.example.net"
    assert list(document(named)["data"][""]["ns"]) == ["a.example.net.", "b.example.net."]


@pytest.mark.parametrize(("line", "ttl"), [("", 180), ("ttl x", 180), ("ttl 0", 180), ("ttl 77", 77)])
def test_P20_global_ttl(write: Write, line: str, ttl: int) -> None:
    """180 where it is absent or no number; zero is not set."""
    assert ttl == document(write("p.conf", f"{NS}{line}\nbase example.com"))["ttl"]


def test_P20_a_global_serial_that_is_no_number_is_absent(write: Write) -> None:
    """The serial is then a modification time."""
    assert document(write("p.conf", f"{NS}serial x\nbase example.com", 70))["serial"] == 70


def test_P21_serial_is_the_newest_time_of_the_files_of_the_base(write: Write) -> None:
    """The stack at `base`, its JSON file, and what is included while it is current; not other files."""
    write("e.json", "{}", 200)
    write("a.inc", "h1 192.0.2.1 us", 300)
    write("globals.inc", NS, 900)
    path = write(
        "p.conf", "serial 5\ninclude globals.inc\nbase example.com e.json\nbase example.org\ninclude a.inc", 100
    )

    assert document(path)["serial"] == 200
    assert document(path, "example.org")["serial"] == 300


def test_P21_an_own_serial_counts_first(write: Write) -> None:
    """From a line or from JSON, number or text; it doesn't change mtime."""
    write("e.json", '{"serial": "12"}', 200)
    path = write("p.conf", NS + "base example.com e.json\nbase example.org\nserial 13", 100)

    assert (document(path)["serial"], document(path)["mtime"]) == (12, 200)
    assert document(path, "example.org")["serial"] == 13


def test_P22_ttl_and_primary_come_from_the_defaults(write: Write) -> None:
    """A base that has none of its own takes the global ones."""
    base = read(write("p.conf", "ttl 90\nns b.example.net\nns a.example.net\nbase example.com")).bases["example.com."]

    assert (base.ttl, base.primary_ns) == (90, "b.example.net.")


def test_P22_P23_a_base_without_any_ns_is_refused(write: Write) -> None:
    """Both what is missing is told, at the line of the base, for each such base."""
    assert problems(write("p.conf", "base example.com\nttl 5\nbase example.org\nprimary_ns ns1.example.net")) == [
        "p.conf: line 1: default primary_ns needed but not set",
        "p.conf: line 1: no ns configured in the config file for base example.com.",
        "p.conf: line 3: no ns configured in the config file for base example.org.",
    ]


def test_P23_own_ns_replace_the_global_ones(write: Write) -> None:
    """Either the one set or the other."""
    path = write("p.conf", "ns a.example.net\nbase example.com\nns b.example.net 2001:db8::53\nbase example.org")

    assert document(path)["data"][""]["ns"] == {"b.example.net.": "2001:db8::53"}
    assert document(path, "example.org")["data"][""]["ns"] == {"a.example.net.": None}


def test_P24_primary_of_a_json_base_is_the_first_by_name(write: Write) -> None:
    """Unless the JSON says which, or a line does."""
    write("e.json", '{"data": {"": {"ns": {"b.example.net": null, "a.example.net": "192.0.2.53"}}}}')
    write("f.json", '{"primary_ns": "b.example.net", "data": {"": {"ns": "a.example.net"}}}')
    found = read(write("p.conf", NS + "base example.com e.json\nbase example.org f.json")).bases

    assert found["example.com."].primary_ns == "a.example.net"
    assert found["example.org."].primary_ns == "b.example.net"


def test_P25_two_internal_bases_always_exist(write: Write) -> None:
    """They have ttl 1, serial 1 and one NS, and are no zone documents."""
    found = read(write("p.conf", "# nothing"))

    assert [name for name, base in found.bases.items() if base.is_internal] == ["bind.", "pgeodns."]
    assert {(1, 1, ("ns.pgeodns.",))} == {(base.ttl, base.serial, tuple(base.ns)) for base in found.bases.values()}
    assert convert.zone_documents(found) == {}


def test_P26_every_file_that_was_read_is_told(write: Write) -> None:
    """Main file, includes and JSON, each once, in the order of reading."""
    write("e.json", "{}")
    write("a.inc", "base example.com e.json\ninclude b.inc\ninclude b.inc")
    write("b.inc", "")
    path = write("p.conf", NS + "include a.inc")

    assert tuple(file.name for file in read(path).files) == ("p.conf", "a.inc", "e.json", "b.inc")


def test_P26_all_errors_are_told_at_once(write: Write) -> None:
    """Each line of each file on its own, in the order of reading."""
    write("a.inc", "h1\nh2 nowhere us")
    path = write("p.conf", "max_hosts 2\n" + NS + "base example.com\ninclude a.inc\nserial x")

    assert [": ".join(problem.split(": ")[:2]) for problem in problems(path)] == [
        "p.conf: line 1",
        "a.inc: line 1",
        "a.inc: line 2",
        "p.conf: line 5",
    ]


def test_a_binary_file_is_one_problem(write: Write) -> None:
    """As the main file and as an include."""
    write("b.bin", bytes(range(256)))

    assert problems(write("b.bin", bytes(range(256)) * 100)) == ["b.bin: must be a text file"]
    assert problems(write("p.conf", "include b.bin\nh1 192.0.2.1 us")) == ["b.bin: must be a text file"]


def test_a_line_that_is_not_utf8_is_a_problem(write: Write) -> None:
    """Only where it would be used."""
    assert problems(write("p.conf", b"# \xe9\nbase caf\xe9.example")) == [
        'p.conf: line 2: must be UTF-8 text, found "base caf\\udce9.example"'
    ]


def test_a_directory_or_an_absent_main_file_is_a_problem(tmp_path: Path) -> None:
    """Told without a line."""
    assert [f"{tmp_path.name}: must be a readable file: Is a directory"] == problems(tmp_path)
    assert problems(tmp_path / "none") == ["none: must be a readable file: No such file or directory"]


def test_a_directory_instead_of_an_include_or_json(write: Write, tmp_path: Path) -> None:
    """Told at the line that names it."""
    (tmp_path / "d").mkdir()
    assert problems(write("p.conf", "include d\nbase example.com d")) == [
        'p.conf: line 1: must name a readable file: Is a directory, found "d"',
        'p.conf: line 2: must name a readable file: Is a directory, found "d"',
    ]


def test_a_fifo_does_not_block_the_load(write: Write, tmp_path: Path) -> None:
    """Only regular files are opened."""
    os.mkfifo(tmp_path / "pipe")

    assert problems(write("p.conf", "include pipe")) == [
        'p.conf: line 1: must name a readable file: not a regular file, found "pipe"'
    ]


def test_an_unreadable_file_is_a_problem(write: Write, monkeypatch: Any) -> None:
    """Permission denied, as the operating system says it."""

    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = write("p.conf", NS)
    monkeypatch.setattr(pgeodns, "read_octets", denied)

    assert problems(path) == ["p.conf: must be a readable file: Permission denied"]


def test_includes_are_not_nested_without_end(write: Write) -> None:
    """A long chain of different files ends in a problem, not in a crash."""
    for number in range(60):
        write(f"{number}.inc", f"include {number + 1}.inc")
    path = write("p.conf", "include 0.inc")

    (problem,) = problems(path)
    assert f"include must not be nested more than {pgeodns.INCLUDE_DEPTH_MAX} deep" in problem


def test_a_file_that_includes_itself_by_a_link_is_recursive(write: Write, tmp_path: Path) -> None:
    """Files are compared by what they are, not by what they are called."""
    path = write("p.conf", NS + "include link.inc")
    (tmp_path / "link.inc").symlink_to(path)

    (problem,) = problems(path)
    assert "Recursive inclusion of link.inc" in problem


@given(st.binary(max_size=200))
def test_any_octets_are_a_configuration_or_a_config_error(tmp_path_factory: Any, octets: bytes) -> None:
    """Nothing else is ever raised."""
    path = tmp_path_factory.mktemp("any") / "p.conf"
    path.write_bytes(octets)
    try:
        told: tuple[object, ...] = read(path).files
    except ConfigError as error:
        told = error.problems

    assert told
