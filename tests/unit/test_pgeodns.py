"""pgeodns.conf is read as pgeodns 1.41 read it, and told again as geodns zone documents."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns import pgeodns
from greendns.errors import ConfigError

Write = Callable[..., Path]
NS = "ns ns1.example.net\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write one file below the temporary directory; `mtime` in seconds."""

    def write(name: str, text: str | bytes, mtime: int | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return path

    return write


def read(path: Path) -> pgeodns.Pgeodns:
    return pgeodns.read(path, path.parent)


def document(path: Path, name: str = "example.com") -> dict[str, Any]:
    return pgeodns.zone_documents(read(path))[name]


def problems(path: Path) -> list[str]:
    """What is wrong, without the directory of the test."""
    with pytest.raises(ConfigError) as caught:
        read(path)
    return [str(problem).replace(f"{path.parent}{os.sep}", "") for problem in caught.value.problems]


# -- parsing


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


def test_P04_a_json_file_becomes_the_settings_of_its_base(write: Write) -> None:
    """What the base had before is replaced; settings that pgeodns doesn't know stay."""
    write("zones/e.json", '{"ttl": 33, "targeting": "@", "data": {"www": {"cname": "a.example.net."}}}', 100)
    path = write("p.conf", NS + "base example.com\nmax_hosts 3\nh1 192.0.2.1 us\nbase example.com zones/e.json", 50)

    assert document(path) == {
        "ttl": 33,
        "serial": 100,
        "targeting": "@",
        "mtime": 100,
        "data": {"": {"ns": {"ns1.example.net.": None}}, "www": {"cname": "a.example.net."}},
    }


def test_P04_comments_and_trailing_commas_are_allowed(write: Write) -> None:
    """As JSON::relaxed does; what looks like them inside a string is text."""
    write("e.json", '# one\n{"ttl": 33, # two\n "data": {"t": {"txt": ["#,]", "a\\",}#",],},},}\n# three')
    path = write("p.conf", NS + "base example.com e.json")

    assert document(path)["data"]["t"] == {"txt": ["#,]", 'a",}#']}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"ttl": 1,\n "a" 2}', "e.json: line 2 column 6: must be JSON: Expecting ':' delimiter"),
        ("# c\n[1,,]", "e.json: line 2 column 4: must be JSON: Expecting value"),
        ('{"a": [,]}', "e.json: line 1 column 8: must be JSON: Expecting value"),
        ("", "e.json: line 1 column 1: must be JSON: Expecting value"),
        ("{} {}", "e.json: line 1 column 4: must be JSON: Extra data"),
        (b'{\n "a": "\xff"}', "e.json: line 2 column 8: must be UTF-8 text"),
        ('{"a": NaN}', "e.json: must be JSON, which has finite numbers only, found NaN"),
        ('{"a": 1e999}', "e.json: must be JSON, which has finite numbers only, found 1e999"),
        ("[" * 100_000, "e.json: must be JSON that is not nested so deep"),
        ("[]", "e.json: must be a JSON object"),
        ('{"ttl": "x"}', 'e.json: ttl: ttl must be an integer from 0 to 2147483647, found "x"'),
        ('{"serial": true}', "e.json: serial: serial must be an integer from 0 to 4294967295, found true"),
        ('{"data": {"www": null}}', 'e.json: data: label "www" must be an object, found null'),
        ('{"data": []}', "e.json: data: must be an object of labels, found []"),
        ('{"data": {"": {"ns": [1]}}}', "e.json: data: ns must be a string, a list of strings or an object, found [1]"),
        ('{"primary_ns": 5}', "e.json: primary_ns: must be a string, found 5"),
    ],
)
def test_P04_broken_json_fails_with_its_place(write: Write, text: str | bytes, problem: str) -> None:
    """One broken JSON file is one problem, and nothing that only follows from it is told."""
    write("e.json", text)
    path = write("p.conf", "base example.com e.json\n")

    assert [problem] == problems(path)


def test_P04_a_missing_json_file_fails_the_load(write: Write) -> None:
    """The problem names the line that names the file."""
    path = write("p.conf", "\nbase example.com e.json\n")

    expected = 'p.conf: line 2: must name a readable file: No such file or directory, found "e.json"'
    assert [expected] == problems(path)


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


@pytest.mark.parametrize("prefix", ["", "10 ", "100\t", "1000   "])
def test_P11_a_power_of_ten_before_a_host_is_ignored(write: Write, prefix: str) -> None:
    """It was a weight once."""
    path = write("p.conf", NS + f"base example.com\n{prefix}h1 192.0.2.1 us")

    assert document(path)["data"]["us"]["a"] == [["192.0.2.1", 1]]


@pytest.mark.parametrize("line", ["h1 192.0.2.1", "10 h1 192.0.2.1", "h1", "10 192.0.2.1"])
def test_P11_a_host_without_a_group_is_refused(write: Write, line: str) -> None:
    """Each such line is a problem."""
    (problem,) = problems(write("p.conf", NS + f"base example.com\n{line}"))

    assert f'p.conf: line 3: Bad configuration line: must be HOST IP GROUP [GROUP ...], found "{line}"' == problem


def test_P12_a_host_enters_every_group_by_its_family(write: Write) -> None:
    """A colon makes an aaaa; `@` is the label ""; each entry has weight 1."""
    path = write("p.conf", NS + "base example.com\nh1 192.0.2.1 @ us\nh2 2001:db8::1 us")

    labels = document(path)["data"]
    assert labels[""]["a"] == [["192.0.2.1", 1]]
    assert labels["us"] == {"a": [["192.0.2.1", 1]], "aaaa": [["2001:db8::1", 1]]}


def test_P12_a_later_line_moves_the_host_in_all_its_groups(write: Write) -> None:
    """The table of hosts is per base, with or without a final dot."""
    path = write(
        "p.conf",
        NS + "base example.com\nh1 192.0.2.1 us\nbase example.org\nh1 192.0.2.9 us\nbase example.com\nh1. 192.0.2.2 de",
    )

    labels = document(path)["data"]
    assert (labels["us"]["a"], labels["de"]["a"]) == ([["192.0.2.2", 1]], [["192.0.2.2", 1]])
    assert document(path, "example.org")["data"]["us"]["a"] == [["192.0.2.9", 1]]


def test_P12_a_host_may_have_an_address_of_each_family(write: Write) -> None:
    """The IPv6 line of a host doesn't replace its IPv4 address."""
    path = write("p.conf", NS + "base example.com\nh1 192.0.2.1 us\nh1 2001:db8::1 us")

    assert document(path)["data"]["us"] == {"a": [["192.0.2.1", 1]], "aaaa": [["2001:db8::1", 1]]}


def test_P12_an_address_must_be_one(write: Write) -> None:
    """Each wrong line is told; so are labels and names that can't be."""
    path = write(
        "p.conf",
        "ns a.example.net 1.2.3\nbase example.com\nh1 192.0.2.256 us\nh2 fe80::1%lo us\n"
        "h3 192.0.2.1 a..b\nttl 600 # x\nbase a..b",
    )

    assert problems(path) == [
        'p.conf: line 1: must be an IP address, found "1.2.3"',
        'p.conf: line 3: must be an IP address, found "192.0.2.256"',
        'p.conf: line 4: must be an IP address, found "fe80::1%lo"',
        "p.conf: line 5: a name must not have an empty label",
        'p.conf: line 6: ttl must be an integer from 0 to 2147483647, found "600 # x"',
        "p.conf: line 7: a name must not have an empty label",
    ]


def test_P13_a_group_is_a_label_with_a_geographic_suffix(write: Write) -> None:
    """The text is the label, as geodns has it."""
    path = write("p.conf", NS + "base example.com\nh1 192.0.2.1 ftp.us ftp.north-america us @")

    assert list(document(path)["data"]) == ["", "ftp.us", "ftp.north-america", "us"]


# -- defaults


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
    assert pgeodns.zone_documents(found) == {}


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


# -- conversion


def convert(path: Path, outdir: Path) -> tuple[list[str], list[str]]:
    """Names written, and the report without directories."""
    lines: list[str] = []
    written = pgeodns.convert(path, outdir, lines.append, path.parent)
    return [file.name for file in written], [line.replace(f"{outdir}{os.sep}", "") for line in lines]


def test_P40_hosts_become_addresses_also_in_json_data(write: Write) -> None:
    """Lists and objects, hosts with or without final dot, weights kept; other records are left alone."""
    labels = {
        "us": {"a": [["h1", 5], ["192.0.2.7", 6], {"ip": "h1.", "weight": 7}, []], "aaaa": [["h2", 1]]},
        "x": {"alias": "us", "a": "odd", "max_hosts": 1},
    }
    write("e.json", json.dumps({"data": labels}))
    path = write("p.conf", NS + "base example.com e.json\nh1 192.0.2.1 de\nh2 2001:db8::1 de")

    found = document(path)["data"]
    assert found["us"]["a"] == [["192.0.2.1", 5], ["192.0.2.7", 6], {"ip": "192.0.2.1", "weight": 7}, []]
    assert found["us"]["aaaa"] == [["2001:db8::1", 1]]
    assert labels["x"] == found["x"]


def test_P40_an_unknown_host_is_a_problem(write: Write) -> None:
    """So is one that has only an address of the other family."""
    write("e.json", '{"data": {"us": {"a": [["h1", 1], ["h2", 1]], "aaaa": [["h1", 1]]}}}')
    path = write("p.conf", NS + "base example.com e.json\nh1 192.0.2.1 de")

    assert problems(path) == [
        'e.json: data."us".a[1]: must be an address or a host with an A record in this base, found "h2"',
        'e.json: data."us".aaaa[0]: must be an address or a host with an AAAA record in this base, found "h1"',
    ]


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

    assert convert(path, out)[0] == ["example.com.json", "example.org.json"]
    assert (convert(path, out)[0], len(convert(path, out)[1])) == ([], 2)
    os.utime(out / "example.com.json", (999, 999))
    assert convert(path, out)[0] == ["example.com.json"]
    assert sorted(file.name for file in out.iterdir()) == ["example.com.json", "example.org.json"]


def test_P41_the_output_is_readable_json_in_the_order_of_the_file(write: Write, tmp_path: Path) -> None:
    """One line for each setting and each label, the apex first."""
    path = write("p.conf", NS + "base example.com\nmax_hosts 3\nh1 192.0.2.1 us @", 1000)
    convert(path, tmp_path / "out")

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
        convert(path, tmp_path / "out")

    assert old.read_text() == "old"
    assert [old] == list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("outdir", ["p.conf", "p.conf/out", "absent/out"])
def test_P41_an_output_directory_that_cannot_be_is_a_problem(write: Write, tmp_path: Path, outdir: str) -> None:
    """A file, something below a file, and a directory in one that is missing."""
    path = write("p.conf", NS + "base example.com")

    with pytest.raises(ConfigError, match=f"{outdir}: must be a directory: "):
        convert(path, tmp_path / outdir)


@pytest.mark.parametrize("name", ["../evil", "0/25.2.0.192.in-addr.arpa", "."])
def test_P41_a_base_that_is_no_file_name_is_a_problem(write: Write, tmp_path: Path, name: str) -> None:
    """Nothing is written outside the output directory, nor anything before all names are known to be good."""
    path = write("p.conf", NS + f"base example.com\nbase {name}")

    with pytest.raises(ConfigError):
        convert(path, tmp_path / "out")

    assert [path] == list(tmp_path.iterdir())


def test_P42_what_would_be_answered_otherwise_is_reported(write: Write, tmp_path: Path) -> None:
    """A cname without a final dot, and a primary_ns that the zone format can't hold."""
    write("e.json", '{"data": {"www": {"cname": "a.example.net"}, "ok": {"cname": "a.example.net."}}}')
    path = write("p.conf", NS + "base example.com e.json\nprimary_ns b.example.net")

    assert convert(path, tmp_path / "out")[1] == [
        "example.com. primary_ns b.example.net is not an ns: the SOA will name ns1.example.net.",
        'example.com. cname of "www" has no final dot: read as a.example.net.example.com.',
        "example.com.json: written",
    ]


# -- bad input


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
    assert [f"{tmp_path.name}: must be a readable file: not a regular file"] == problems(tmp_path)
    assert problems(tmp_path / "none") == ["none: must be a readable file: No such file or directory"]


def test_a_directory_instead_of_an_include_or_json(write: Write, tmp_path: Path) -> None:
    """Told at the line that names it."""
    (tmp_path / "d").mkdir()
    assert problems(write("p.conf", "include d\nbase example.com d")) == [
        'p.conf: line 1: must name a readable file: not a regular file, found "d"',
        'p.conf: line 2: must name a readable file: not a regular file, found "d"',
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
    monkeypatch.setattr(Path, "read_bytes", denied)

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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_strict_json_passes_the_cleaner_unchanged(value: object) -> None:
    """Whatever the strings hold."""
    text = json.dumps(value, ensure_ascii=False, indent=1)

    assert text == pgeodns.blank_out(text)


@given(json_values)
def test_every_trailing_comma_and_comment_is_taken(value: object) -> None:
    """A comma before each closing bracket of a filled list or object, and a comment after each line."""
    lines = json.dumps(value, indent=1).split("\n")
    following = [line.strip()[:1] for line in lines[1:]] + [""]
    relaxed = [
        line + ("," if after in "]}" and after else "") + ' # ,]"' for line, after in zip(lines, following, strict=True)
    ]

    assert value == pgeodns.parse_relaxed("\n".join(relaxed).encode(), "e.json")


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


def test_the_example_of_the_migration_page_is_a_configuration(write: Write) -> None:
    """docs/migrating-from-pgeodns.md shows one, in a fenced block with a `base` line."""
    page = (Path(__file__).parents[2] / "docs/migrating-from-pgeodns.md").read_text(encoding="utf-8")
    (example,) = [block for block in page.split("```")[1::2] if "\nbase " in block]

    assert {"", "us", "ftp.us"} < set(document(write("pgeodns.conf", example))["data"])
