"""Presentation text of the other types is read and shown as dnspython does it, or more strictly."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from types import ModuleType

import dns.exception
import dns.name
import dns.rdata
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns import charstring, found, loc, name, presentation
from greendns.charstring import encode_strings, escape, split_words, unescape
from greendns.cursor import Cursor
from greendns.errors import ValueProblem
from greendns.found import shown
from tests.peers import IS_STRICT, compares_with_dnspython

ORIGIN = name.from_text("example.com.")
SHA1, SHA256, SHA384, SHA512 = "ab" * 20, "CD" * 32, "ef" * 48, "01" * 64
TYPES = ["CAA", "DS", "LOC", "NAPTR", "SSHFP", "TLSA"]


def ours(rrtype: str, text: str) -> bytes:
    return presentation.from_text(dns.rdatatype.from_text(rrtype), text, ORIGIN)


def theirs(rrtype: str, text: str) -> bytes:
    """dnspython's rdata of the same text."""
    wire = dns.rdata.from_text("IN", rrtype, text, dns.name.from_text("example.com."), False).to_wire()
    assert isinstance(wire, bytes)
    return wire


GOOD = [
    ("CAA", '0 issue "ca.example.net"'),
    ("CAA", "128 issuewild ca.example.net"),
    ("CAA", '0 issue "ca.example.net; policy=\\"ev\\""'),
    ("CAA", r'0 issue "\200\\\""'),
    ("CAA", '0 issue "é"'),
    ("CAA", '0 issue ""'),
    ("CAA", '  0\tiodef   "mailto:a@example.com"  '),
    ("DS", f"60485 8 2 {SHA256}"),
    ("DS", f"60485 5 1 {SHA1[:10]} {SHA1[10:]}"),
    ("DS", f"0 ECDSAP256SHA256 4 {SHA384}"),
    ("DS", "65535 255 255 00"),
    ("LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
    ("LOC", "42 21 54 N 71 06 18 W -24m 30m"),
    ("LOC", "42 21 43.952 N 71 5 6.344 W -24m 1m 200m"),
    ("LOC", "52 14 05 N 00 08 50 E 10m"),
    ("LOC", "32 7 19 S 116 2 25 E 10"),
    ("LOC", "90 N 180 W 0"),
    ("LOC", "0 0 0.001 S 0 0 0.5 E 42849672m 90000000m 90000000.00m 0.01m"),
    ("NAPTR", '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .'),
    ("NAPTR", r'100 10 "s" "SIP+D2U" "" _sip._udp'),
    ("NAPTR", r'0 65535 "u" "" "!^(.*)$!\\1@\"x\"\200!" a\.b.example.net.'),
    ("NAPTR", "1 2 s x y @"),
    ("SSHFP", f"2 1 {SHA1}"),
    ("SSHFP", f"4 2 {SHA256}"),
    ("SSHFP", "255 99 00"),
    ("TLSA", f"3 1 1 {SHA256}"),
    ("TLSA", f"0 0 2 {SHA512[:50]} {SHA512[50:]}"),
    ("TLSA", "3 0 0 3082"),
    ("TYPE65280", r"\# 4 0a000001"),
    ("TYPE65280", r"\# 4 0a00 0001"),
    ("TYPE65280", r"\# 0"),
    ("CAA", r"\# 8 000569737375653b"),
    ("A", r"\# 4 c0000201"),
    ("TXT", r"\# 3 026869"),
    ("MX", r"\# 5 000a016100"),
]


@compares_with_dnspython
@pytest.mark.parametrize(("rrtype", "text"), GOOD)
def test_rdata_is_the_same_as_of_dnspython(rrtype: str, text: str) -> None:
    """Octet for octet."""
    assert ours(rrtype, text) == theirs(rrtype, text)


@compares_with_dnspython
@pytest.mark.parametrize(("rrtype", "text"), GOOD)
def test_what_is_shown_is_read_alike(rrtype: str, text: str) -> None:
    """By dnspython."""
    wire = ours(rrtype, text)

    assert theirs(rrtype, presentation.to_text(dns.rdatatype.from_text(rrtype), wire)) == wire


BAD = [
    *[(rrtype, text) for rrtype in TYPES for text in ("", "x", "0", "1 2 3 4 5 6 7 8", '"', "\\")],
    ("CAA", '256 issue "x"'),
    ("CAA", '-1 issue "x"'),
    ("CAA", '0 is-sue "x"'),
    ("CAA", '0 "" "x"'),
    ("CAA", '0 issue "x" "y"'),
    ("CAA", "0 issue x y"),
    ("CAA", '0 issue "x'),
    ("CAA", r'0 issue "\256"'),
    ("CAA", r'0 issue "\1"'),
    ("CAA", "0 issue ;"),
    ("CAA", f'0 {"a" * 256} "x"'),
    ("DS", f"60485 8 2 {SHA1}"),
    ("DS", f"60485 8 1 {SHA256}"),
    ("DS", f"60485 8 2 {SHA256[:-1]}"),
    ("DS", f"60485 8 2 {SHA256[:-1]}g"),
    ("DS", f'60485 8 2 "{SHA256}"'),
    ("DS", f"65536 8 2 {SHA256}"),
    ("DS", f"1 256 2 {SHA256}"),
    ("DS", f"1 NONE 2 {SHA256}"),
    ("DS", "1 8 0 00"),
    ("DS", "1 8 99"),
    ("LOC", "91 N 0 E 0m"),
    ("LOC", "0 N 181 E 0m"),
    ("LOC", "0 60 N 0 E 0m"),
    ("LOC", "0 0 60 N 0 E 0m"),
    ("LOC", "0 0 0.0001 N 0 E 0m"),
    ("LOC", "0 X 0 E 0m"),
    ("LOC", "0 N 0 E"),
    ("LOC", "-1 N 0 E 0m"),
    ("LOC", "0 N 0 E 0m 1m 1m 1m 1m"),
    ("NAPTR", '100 10 "u" "E2U" "x"'),
    ("NAPTR", '100 10 "u" "E2U" "x" . .'),
    ("NAPTR", '100 10 "u" "E2U" "x" a..b'),
    ("NAPTR", '100 10 "u" "E2U" "x" "a"'),
    ("NAPTR", '65536 10 "u" "E2U" "x" .'),
    ("NAPTR", rf'1 1 "u" "E2U" "{"x" * 256}" .'),
    ("NAPTR", r'1 1 "u" "E2U" "!a!\1!" .'),
    ("SSHFP", f"2 1 {SHA256}"),
    ("SSHFP", f"2 2 {SHA1}"),
    ("SSHFP", f"256 1 {SHA1}"),
    ("SSHFP", "1 99"),
    ("TLSA", f"3 1 1 {SHA1}"),
    ("TLSA", f"3 1 2 {SHA256}"),
    ("TLSA", "3 1 0"),
    ("TLSA", "3 1 0 abc"),
    ("TLSA", f"3 1 256 {SHA256}"),
    ("TYPE65280", "0a000001"),
    ("TYPE65280", r"\# 4 0a0000"),
    ("TYPE65280", r"\# 4 0a00000"),
    ("TYPE65280", r"\# 4 0a000001 00"),
    ("TYPE65280", r"\# x 00"),
    ("TYPE65280", r"\# 1"),
    ("TYPE65280", r"\#"),
    ("A", r"\# 3 c00002"),
    ("AAAA", r"\# 4 c0000201"),
    ("NS", r"\# 3 016100ff"),
    ("NS", r"\# 2 c00c"),
    ("MX", r"\# 3 000a01"),
    ("TXT", r"\# 2 0568"),
    ("TXT", r"\# 0"),
    ("CAA", r"\# 2 0000"),
    ("SRV", r"\# 6 000000000000"),
]


@pytest.mark.parametrize(("rrtype", "text"), BAD)
def test_what_dnspython_refuses_is_refused(rrtype: str, text: str) -> None:
    """Ours is a ValueProblem."""
    if IS_STRICT:
        with pytest.raises((dns.exception.DNSException, ValueError, SyntaxError)):
            theirs(rrtype, text)
    with pytest.raises(ValueProblem):
        ours(rrtype, text)


@pytest.mark.parametrize(
    ("rrtype", "text"),
    [
        ("LOC", "90 0 0.001 N 0 E 0m"),
        ("LOC", "0 N 180 59 E 0m"),
        ("LOC", "0 N 0 E -100000.01m"),
        ("LOC", "0 N 0 E 42849672.96m"),
        ("LOC", "0 N 0 E 0m 90000000.01m"),
        ("LOC", "0 N 0 E 1e3m"),
        ("DS", f"1 8 5 {SHA1}"),
        ("NAPTR", f'1 1 "u" "" "" {"a." * 130}'),
        ("CAA", '0 issue "a" ; comment'),
        ("CAA", '0 issue ("a")'),
        ("CAA", '0 issue "a"b'),
        ("CAA", r"\#"),
    ],
)
def test_what_else_is_refused(rrtype: str, text: str) -> None:
    """Angles beyond the pole, digests of the wrong length, comments and brackets."""
    with pytest.raises(ValueProblem):
        ours(rrtype, text)


def test_a_location_loses_no_centimetre() -> None:
    """0.29 m are 29 cm; in floating point they are 28."""
    wire = ours("LOC", "0 N 0 E 0.29m")

    assert wire[-4:] == (10_000_029).to_bytes(4, "big")
    assert loc.to_text(wire) == "0 0 0.000 N 0 0 0.000 E 0.29m 1.00m 10000.00m 10.00m"


@given(
    st.integers(-90 * 3_600_000, 90 * 3_600_000),
    st.integers(-180 * 3_600_000, 180 * 3_600_000),
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=3, max_size=3),
)
def test_every_location_survives_its_text(
    latitude: int, longitude: int, altitude: int, precisions: list[tuple[int, int]]
) -> None:
    """To the millisecond and the centimetre."""
    integers = b"".join([value.to_bytes(4, "big") for value in (2**31 + latitude, 2**31 + longitude, altitude)])
    wire = b"\x00" + bytes([digit << 4 | power for digit, power in precisions]) + integers

    assert ours("LOC", loc.to_text(wire)) == wire


@pytest.mark.parametrize("change", [(0, 1), (1, 0xA0), (2, 0x1A), (3, 0x01), (4, 0xFF), (8, 0xFF)])
def test_a_location_out_of_range_is_not_shown(change: tuple[int, int]) -> None:
    """Version, precisions, latitude and longitude are checked."""
    wire = bytearray(ours("LOC", "0 N 0 E 0m"))
    wire[change[0]] = change[1]

    with pytest.raises(ValueProblem):
        loc.to_text(bytes(wire))


def test_names_without_a_final_dot_are_below_the_origin() -> None:
    """`@` is the origin itself."""
    assert ours("NAPTR", "1 1 a b c www").endswith(b"\x03www" + ORIGIN)
    assert ours("NAPTR", "1 1 a b c @").endswith(b"\x01c" + ORIGIN)
    assert ours("NAPTR", "1 1 a b c www.").endswith(b"\x01c\x03www\x00")


@given(st.binary(max_size=300))
def test_escaped_octets_are_read_back(octets: bytes) -> None:
    """Any octets."""
    assert unescape(escape(octets)) == octets


@given(st.text(st.characters(codec="utf-8", exclude_characters="\\")))
def test_text_without_escapes_is_utf8(text: str) -> None:
    """As it stands."""
    assert unescape(text) == text.encode()


def test_a_text_is_at_least_one_string() -> None:
    """No string at all is an empty one (RFC 1035 section 3.3.14); a long one becomes two."""
    assert encode_strings([]) == b"\x00"
    assert encode_strings([b"a", b"", b"b" * 256]) == b"\x01a\x00\xff" + b"b" * 255 + b"\x01b"


def test_words_keep_their_quotes() -> None:
    """White space in quotes doesn't split."""
    assert split_words(' a "b c"\t d="e f" \\" ') == ["a", '"b c"', 'd="e f"', '\\"']


def test_many_escapes_are_read_in_linear_time() -> None:
    """A megabyte of quotes and backslashes is refused or read like any text."""
    with pytest.raises(ValueProblem):
        split_words('"' + "\\a" * 500_000)
    assert len(split_words("\\a" * 500_000)) == 1


def test_a_cursor_does_not_go_past_the_end() -> None:
    """Nor take a name that is too long."""
    with pytest.raises(ValueProblem):
        Cursor(b"\x01").integer(2)
    with pytest.raises(ValueProblem):
        Cursor(b"\x03ab").string()
    with pytest.raises(ValueProblem):
        Cursor(b"\x01a" * 127 + b"\x01a\x00").name()
    assert Cursor(b"\x01a" * 127 + b"\x00").name() == b"\x01a" * 127 + b"\x00"


PIECES = [
    "",
    " ",
    "0",
    "1",
    "2",
    "255",
    "256",
    '"',
    "\\",
    "\\\\",
    "\\1",
    "\\065",
    "a",
    ".",
    "@",
    ";",
    "00",
    SHA1,
    SHA256,
    "m",
    "N",
]


@st.composite
def altered(draw: st.DrawFn) -> tuple[str, str]:
    """A good text with a few places overwritten, and its type."""
    rrtype, text = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.sampled_from(PIECES)) + text[start + draw(st.integers(0, 4)) :]
    return rrtype, text


def outcome(read: Callable[[str, str], bytes], rrtype: str, text: str) -> bytes | None:
    """The rdata, or None where the text is refused."""
    try:
        return read(rrtype, text)
    except (ValueProblem, dns.exception.DNSException, ValueError, SyntaxError):
        return None


@compares_with_dnspython
@given(altered())
def test_what_we_take_of_any_text_is_what_dnspython_takes(given: tuple[str, str]) -> None:
    """We may be stricter, never laxer and never different."""
    assert outcome(ours, *given) in (None, outcome(theirs, *given))


@given(
    st.sampled_from([*TYPES, "A", "TYPE65280"]),
    st.text()
    | st.text(st.characters(codec=None, exclude_categories=[]))
    | st.lists(st.sampled_from(PIECES)).map("".join),
)
def test_no_text_raises_anything_else(rrtype: str, text: str) -> None:
    """A ValueProblem, or rdata that can be shown."""
    for whole in (text, f"\\# {text}", f"0 issue {text}", f'1 1 "" "" "" {text}', f"3 1 0 {text}"):
        assert told(dns.rdatatype.from_text(rrtype), whole)


def told(rrtype: int, text: str) -> str:
    """What is shown of a text, or expected of it."""
    try:
        return presentation.to_text(rrtype, presentation.from_text(rrtype, text, ORIGIN))
    except ValueProblem as problem:
        return problem.expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("10x", '"10x"'),
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        ('a"\n\\', '"a\\"\\n\\\\"'),
        ("\ud800\x00", '"\\ud800\\u0000"'),
        ("x" * 100, '"' + "x" * 60 + '..."'),
        ([1, 2, 3, 4], "[1, 2, 3, ...]"),
        ({"a": [{"b": 1}]}, '{"a": [{...}]}'),
        ([], "[]"),
    ],
)
def test_values_are_shown_as_short_json(value: object, text: str) -> None:
    """On one line that a log can write."""
    assert shown(value) == text


def test_a_huge_integer_is_shown_by_its_size() -> None:
    """Python refuses to print it."""
    assert shown(1 << 20_000) == "an integer of 20001 bits"


@pytest.mark.parametrize("module", [charstring, found, presentation])
def test_examples_in_docstrings_hold(module: ModuleType) -> None:
    """Each is run."""
    results = doctest.testmod(module)

    assert results.attempted > 0
    assert results.failed == 0
