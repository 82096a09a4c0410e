"""G040-G049: the top level of a zone file, as answers show it and as `greendns check` judges it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.rcode
import pytest

from tests.checking import NOTHING, check_zone
from tests.serving import Server, run_command, serving, write_zones

MTIME = 1_700_000_001
DANE = "192.0.2.0/24"
GERMAN = "198.51.100.0/25"
CALIFORNIAN = "203.0.113.0/26"
FIVE = [[f"192.0.2.{last}"] for last in range(1, 6)]
TARGETED = {"www": {"txt": "@"}, "www.dk": {"txt": "dk"}, "www.europe": {"txt": "europe"}}
# One record is where the Dane is; the other is far from everybody.
PLACED = {"near": {"a": [["192.0.2.1"], ["198.18.0.1"]]}}

ZONES: dict[str, object] = {
    "used.example": {
        "ttl": 77,
        "serial": 2024010203,
        "contact": "ops.example.net",
        "max_hosts": 3,
        "closest": True,
        "targeting": "continent",
        "data": {"www": {"a": FIVE}, "www.europe": {"a": FIVE}},
    },
    "ignored.example": {
        "TTL": 7,
        "Serial": 7,
        "MAX_HOSTS": 1,
        "Data": {"other": {"txt": "x"}},
        "comment": {"anything": [1, None]},
        "data": {"www": {"a": FIVE}},
    },
    "default.example": {"data": {"many": {"a": FIVE}, **TARGETED, **PLACED, "www.us-ca": {"txt": "region"}}},
    "number.example": {"ttl": 300.9, "max_hosts": 1.99, "serial": 5.5, "data": {"www": {"a": FIVE}}},
    "string.example": {"ttl": "300", "max_hosts": "3", "serial": "4294967295", "data": {"www": {"a": FIVE}}},
    "at.example": {"contact": "ops@example.net"},
    "dots.example": {"contact": "first.last.example.net"},
    "one.example": {"targeting": "@ country continent", "data": TARGETED},
    "other.example": {"targeting": "continent @ country", "data": TARGETED},
    "logging.example": {"logging": {"stathat": True, "stathat_api": "key"}, "data": {"www": {"txt": "x"}}},
    "after.example": '{"data": {"www": {"txt": "first"}}} {"data": {"www": {"txt": "second"}}} and words',
    "empty.example": "{}",
    "surrogate.example": r'{"data": {"www": {"txt": "a\ud800z"}}}',
    "twice.example": (
        '{"ttl": 1, "ttl": 2, "data": {"www": {"txt": "1"}, "www": {"txt": "2", "txt": "3"}},'
        ' "data": {"www": {"txt": "4"}, "WWW": {"txt": "5"}}}'
    ),
}
INVALID_UTF8 = b'{"data": {"www": {"txt": "a\xff\xc3(z"}}}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """A server of all these zones, whose files are of one known second."""
    directory = tmp_path_factory.mktemp("g04")
    zones = directory / "zones"
    write_zones(zones, ZONES)
    (zones / "bytes.example.json").write_bytes(INVALID_UTF8)
    for file in zones.iterdir():
        os.utime(file, ns=(MTIME * 10**9, MTIME * 10**9 + 900_000_000))
    with serving(directory, arguments=["--geoip", str(world)]) as running:
        assert running.health()["errors"] == []
        yield running


def soa(server: Server, origin: str) -> Any:
    """The SOA's rdata."""
    return server.ask(origin, "SOA").answer[0][0]


def ttl(server: Server, name: str, rrtype: str = "A") -> int:
    return server.ask(name, rrtype).answer[0].ttl


def count(server: Server, name: str, subnet: str | None = None) -> int:
    return len(server.values(name, subnet=subnet))


def test_G040_the_eight_keys_are_used(server: Server) -> None:
    """Each has its effect: ttl, serial, contact, max_hosts, targeting, data; closest and logging: G041, G046."""
    answer = server.ask("www.used.example", subnet=DANE)

    assert (answer.answer[0].ttl, len(answer.answer[0])) == (77, 3)
    assert (soa(server, "used.example").serial, soa(server, "used.example").rname.to_text()) == (
        2024010203,
        "ops.example.net.",
    )
    assert server.values("www.used.example", subnet=CALIFORNIAN) == []


def test_G040_other_keys_and_other_cases_are_ignored(server: Server) -> None:
    """Key names are case-sensitive: TTL is no ttl, Data no data."""
    assert ttl(server, "www.ignored.example") == 120
    assert count(server, "www.ignored.example") == 2
    assert soa(server, "ignored.example").serial == MTIME
    assert server.ask("other.ignored.example", "TXT").rcode() == dns.rcode.NXDOMAIN


def test_G040_check_warns_of_unknown_keys(tmp_path: Path) -> None:
    """What geodns silently ignores is told by its key, and is no error."""
    findings = check_zone(tmp_path, {"TTL": 7, "comment": "x", "data": {}})

    assert findings.errors == []
    assert [warning.split(":")[0] for warning in findings.warnings] == ["TTL", "comment"]


def test_G041_defaults(server: Server) -> None:
    """ttl 120, max_hosts 2, contact hostmaster.<zone>, serial the file's time in whole seconds."""
    assert ttl(server, "many.default.example") == 120
    assert count(server, "many.default.example") == 2
    assert soa(server, "default.example").rname.to_text() == "hostmaster.default.example."
    assert soa(server, "default.example").serial == MTIME


def test_G041_default_targeting_is_everybody_country_and_continent(server: Server) -> None:
    """Country before continent before @; no region."""
    values = [server.values("www.default.example", "TXT", subnet=subnet) for subnet in (DANE, GERMAN, CALIFORNIAN)]

    assert values == [['"dk"'], ['"europe"'], ['"@"']]


def test_G041_distance_counts_only_where_it_is_asked_for(server: Server) -> None:
    """closest is false: with max_hosts 2 and two records both are answered, in either order."""
    firsts = {server.values("near.default.example", subnet=DANE)[0] for _ in range(40)}

    assert firsts == {"192.0.2.1", "198.18.0.1"}


def test_G042_numbers_are_truncated_toward_zero(server: Server) -> None:
    """300.9 is 300, 1.99 is 1, 5.5 is 5."""
    assert ttl(server, "www.number.example") == 300
    assert count(server, "www.number.example") == 1
    assert soa(server, "number.example").serial == 5


def test_G042_decimal_strings_are_numbers(server: Server) -> None:
    """ "300" as 300, up to the largest serial of 32 bits."""
    assert ttl(server, "www.string.example") == 300
    assert count(server, "www.string.example") == 3
    assert soa(server, "string.example").serial == 2**32 - 1


@pytest.mark.parametrize("key", ["ttl", "serial", "max_hosts"])
@pytest.mark.parametrize(
    "value", [True, False, None, [], [1], {}, "abc", " 2", "2 ", "", "0x10", "1.5", "1e3", -1, "-1"]
)
def test_G042_anything_else_fails_the_zone(tmp_path: Path, key: str, value: object) -> None:
    """The error names the key and shows the value."""
    findings = check_zone(tmp_path, {key: value})

    assert len(findings.errors) == 1
    assert findings.errors[0].startswith(f"{key}: {key} must be an integer >= 0, found ")


@pytest.mark.parametrize(("key", "largest"), [("ttl", 2**31 - 1), ("serial", 2**32 - 1), ("max_hosts", 2**31 - 1)])
def test_G042_ranges_are_checked(tmp_path: Path, key: str, largest: int) -> None:
    """A TTL has 31 bits (RFC 2181 section 8), a serial 32; what is larger fails the zone."""
    assert check_zone(tmp_path, {key: largest}) == NOTHING
    assert check_zone(tmp_path, {key: 2**32}).errors == [f"{key}: {key} must be at most {largest}, found {2**32}"]
    assert len(check_zone(tmp_path, {key: 1e300}).errors) == 1
    assert len(check_zone(tmp_path, f'{{"{key}": 1e999}}').errors) == 1


@pytest.mark.parametrize("key", ["contact", "targeting"])
@pytest.mark.parametrize("value", [None, True, 7, ["@"], {}])
def test_G043_contact_and_targeting_must_be_strings(tmp_path: Path, key: str, value: object) -> None:
    """Anything else fails the zone."""
    errors = check_zone(tmp_path, {key: value}).errors

    assert [error.split(", found ")[0] for error in errors] == [f"{key}: {key} must be a string"]


@pytest.mark.parametrize("value", [None, 0, 1, "true", [], {}])
def test_G043_closest_must_be_a_boolean(tmp_path: Path, value: object) -> None:
    """Anything else fails the zone."""
    errors = check_zone(tmp_path, {"closest": value}).errors

    assert [error.split(", found ")[0] for error in errors] == ["closest: closest must be true or false"]


def test_G044_contact_is_taken_raw(server: Server) -> None:
    """It only gets a final dot: an @ stays within its label, and no dot is escaped."""
    assert soa(server, "at.example").rname.labels == (b"ops@example", b"net", b"")
    assert soa(server, "dots.example").rname.labels == (b"first", b"last", b"example", b"net", b"")


@pytest.mark.parametrize(
    "text", ["", " ", "@  country", "@ country ", " @", "@ planet", "@,country", "Country", "@\tip"]
)
def test_G045_unknown_and_empty_words_fail_the_zone(tmp_path: Path, text: str) -> None:
    """The words are parted by single spaces, and each must be known."""
    errors = check_zone(tmp_path, {"targeting": text}).errors

    assert len(errors) == 1
    assert errors[0].startswith("targeting: targeting must be words of ")


def test_G045_every_word_is_known(tmp_path: Path) -> None:
    """All seven of them at once."""
    assert check_zone(tmp_path, {"targeting": "@ continent country regiongroup region asn ip"}) == NOTHING


@pytest.mark.parametrize("origin", ["one.example", "other.example"])
def test_G045_the_order_of_the_words_is_irrelevant(server: Server, origin: str) -> None:
    """Country goes before continent before @, however they are written."""
    values = [server.values(f"www.{origin}", "TXT", subnet=subnet) for subnet in (DANE, GERMAN, CALIFORNIAN)]

    assert values == [['"dk"'], ['"europe"'], ['"@"']]


def test_G046_logging_is_read_and_has_no_effect(server: Server, tmp_path: Path) -> None:
    """The zone answers as without it; its two keys are not warned of."""
    assert server.values("www.logging.example", "TXT") == ['"x"']
    assert check_zone(tmp_path, ZONES["logging.example"]) == NOTHING


def test_G046_unknown_keys_of_logging_are_warned_of(tmp_path: Path) -> None:
    """They are no errors."""
    findings = check_zone(tmp_path, {"logging": {"statsd": 1, "stathat_api": "key"}})

    assert findings.errors == []
    assert [warning.split(":")[0] for warning in findings.warnings] == ["logging.statsd"]


@pytest.mark.parametrize("value", [None, True, "stathat", 1, []])
def test_G046_logging_must_be_an_object(tmp_path: Path, value: object) -> None:
    """Anything else fails the zone."""
    errors = check_zone(tmp_path, {"logging": value}).errors

    assert [error.split(", found ")[0] for error in errors] == ["logging: logging must be an object"]


def test_G047_text_after_the_first_value_is_ignored(server: Server, tmp_path: Path) -> None:
    """Another value or any words."""
    assert server.values("www.after.example", "TXT") == ['"first"']
    assert check_zone(tmp_path, "{}}") == NOTHING


def test_G047_an_empty_object_is_a_zone_of_a_soa(server: Server) -> None:
    """SOA at the apex, nothing else anywhere."""
    assert soa(server, "empty.example").serial == MTIME
    assert server.ask("empty.example", "A").rcode() == dns.rcode.NOERROR
    assert server.values("empty.example", "A") == []
    assert server.values("empty.example", "NS") == []
    assert server.ask("www.empty.example").rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("document", ["", " \n", "[]", "null", "7", '"zone"', "true"])
def test_G047_anything_but_an_object_is_no_zone(tmp_path: Path, document: str) -> None:
    """One error for the whole file."""
    assert len(check_zone(tmp_path, document).errors) == 1


def test_G048_the_last_of_equal_keys_wins(server: Server) -> None:
    """At the top, for labels and within one; the later of two labels equal after lower-casing too."""
    assert ttl(server, "www.twice.example", "TXT") == 2
    assert server.values("www.twice.example", "TXT") == ['"5"']


def test_G048_check_warns_of_equal_keys(tmp_path: Path) -> None:
    """Repeated keys, and labels that are equal after lower-casing, each by its place."""
    text = '{"ttl": 1, "ttl": 2, "data": {"www": {"txt": "1"}, "www": {"txt": "2", "txt": "3"}, "WWW": {"txt": "5"}}}'

    findings = check_zone(tmp_path, text)

    assert findings.errors == []
    assert [warning.split(": ")[0] for warning in findings.warnings] == [
        "ttl",
        'data."www"',
        'data."www".txt',
        'data."WWW"',
    ]
    assert "lower-casing" in findings.warnings[-1]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"ttl": NaN}', "line 1 column 9"),
        ('{"ttl": Infinity}', "line 1 column 9"),
        ('{"ttl": -Infinity}', "line 1 column 9"),
        ('{"x": "NaN",\n "ttl": NaN}', "line 2 column 9"),
        ('{\n  // words\n  "ttl": 1}', "line 2 column 3"),
        ('{\n  "ttl": 1, /* words */\n}', "line 2 column 13"),
        ('{"data": {"www": {"a": [["192.0.2.1"],]}}}', "line 1 column "),
        ('{"ttl": 1,}', "line 1 column "),
        ("{'ttl': 1}", "line 1 column 2"),
        ('{"ttl": 01}', "line 1 column "),
        ('{"ttl": +1}', "line 1 column 9"),
        ('{"ttl": .5}', "line 1 column 9"),
        ('{"contact": "a\tb"}', "line 1 column "),
        ('\ufeff{"ttl": 1}', "line 1 column 1"),
        ('{"ttl": 1', "line 1 column 10"),
    ],
)
def test_G049_what_go_refuses_is_refused(tmp_path: Path, text: str, place: str) -> None:
    """NaN, Infinity, comments, trailing commas and their like; the error has line, column and the line itself."""
    errors = check_zone(tmp_path, text).errors

    assert len(errors) == 1
    assert errors[0].startswith(place)


def test_G049_half_of_a_character_becomes_the_replacement_character(server: Server) -> None:
    """A lone surrogate in JSON is U+FFFD to Go."""
    assert server.values("www.surrogate.example", "TXT") == [r'"a\239\191\189z"']


@pytest.mark.parametrize("text", [r"\ud800", "x" * 1_000_000])
def test_G045_a_wrong_targeting_is_shown_briefly(tmp_path: Path, text: str) -> None:
    """As JSON, on one line that a log can write."""
    (error,) = check_zone(tmp_path, f'{{"targeting": "{text}"}}').errors

    assert len(error.encode()) < 300


def test_G049_invalid_utf8_becomes_the_replacement_character(server: Server) -> None:
    """Each octet that is not UTF-8 is U+FFFD, as Go reads it; the zone is served."""
    [record] = server.ask("www.bytes.example", "TXT").answer[0]

    assert record.strings == ("a\ufffd\ufffd(z".encode(),)


def test_broken_json_is_shown_with_line_column_and_the_line_itself(tmp_path: Path) -> None:
    """`greendns check` of a file with a comma missing in its third line."""
    write_zones(tmp_path / "zones", {"example.com": '{\n  "ttl": 300\n  "serial": 7,\n  "data": {}\n}\n'})

    checked = run_command("check", "zones/example.com.json", cwd=tmp_path)

    assert checked.returncode == 1
    [told] = [line for line in checked.stdout.splitlines() if line.startswith("zones/")]
    assert told.startswith("zones/example.com.json: line 3 column 3: ")
    assert '"serial": 7,' in told


def test_check_shows_every_error_of_every_file_in_its_exact_form(tmp_path: Path) -> None:
    """File, place, expectation, value; exit 1. Files that are well are not named."""
    broken = {"ttl": "x", "data": {"www.dk": {"a": [["192.0.2.1"], ["192.0.2.2", "10x"]]}, "mx": {"mx": ["mail"]}}}
    write_zones(tmp_path / "zones", {"example.com": broken, "example.net": {"contact": 7}, "example.org": {}})

    for arguments in (["--config", "."], ["--config", ".", "--zones", "zones"]):
        checked = run_command("check", *arguments, "--geoip", ".", cwd=tmp_path)
        told = [line for line in checked.stdout.splitlines() if line.startswith("zones/")]

        assert checked.returncode == 1
        assert told[0] == 'zones/example.com.json: ttl: ttl must be an integer >= 0, found "x"'
        assert told[1] == 'zones/example.com.json: data."www.dk".a[1]: weight must be an integer >= 0, found "10x"'
        assert told[2].startswith('zones/example.com.json: data."mx".mx[0]: must be ')
        assert told[3:] == ["zones/example.net.json: contact: contact must be a string, found 7"]


def test_check_of_sound_zones_with_warnings_exits_0(tmp_path: Path) -> None:
    """Unknown keys and types, equal labels, aliases that lead nowhere or in a loop: warned of, each in its place."""
    labels = {
        "www": {"a": [["192.0.2.1"]], "hinfo": "x", "typo": 1},
        "WWW": {"txt": "x"},
        "gone": {"alias": "missing"},
        "one": {"alias": "two"},
        "two": {"alias": "one"},
    }
    write_zones(tmp_path / "zones", {"example.com": {"owner": "me", "data": labels}})

    checked = run_command("check", "zones/example.com.json", cwd=tmp_path)
    warned = [line.split(": ")[2] for line in checked.stdout.splitlines() if line.startswith("warning: zones/")]

    assert checked.returncode == 0
    assert sorted(warned) == [
        'data."WWW"',
        'data."gone".alias',
        'data."one".alias',
        'data."two".alias',
        'data."www".hinfo',
        'data."www".typo',
        "owner",
    ]
