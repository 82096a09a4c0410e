"""One base: its JSON data, its host lines, and the addresses that take the hosts' place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pgeodnsfiles import NS, Write, document, problems, writer


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path)


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
        ('{"ttl": 1,\n "a" 2}', "e.json: line 2 column 6: must be JSON: Expecting ':' delimiter, found \"a\" 2}"),
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
