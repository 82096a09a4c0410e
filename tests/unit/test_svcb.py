"""SVCB and HTTPS are read and shown as RFC 9460 says, and as dnspython does."""

from __future__ import annotations

import base64
from collections.abc import Callable

import dns.exception
import dns.name
import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns import name, presentation
from greendns.codes import RRType
from greendns.errors import ValueProblem
from tests.peers import IS_STRICT

ORIGIN = name.from_text("example.com.")
ECH = base64.b64encode(b"\x00\x04\xfe\x0d\x00\x00").decode()


def ours(text: str) -> bytes:
    return presentation.from_text(RRType.SVCB, text, ORIGIN)


def theirs(text: str) -> bytes:
    """dnspython's rdata of the same text."""
    rdata = dns.rdata.from_text("IN", "SVCB", text, dns.name.from_text("example.com."), False)
    wire = rdata.to_wire()
    assert isinstance(wire, bytes)
    return wire


def key_value(key: int, value: bytes) -> bytes:
    return key.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


GOOD = [
    "0 foo.example.net.",
    "0 .",
    "0 @",
    "1 .",
    "16 foo",
    "16 foo.example.org. port=53",
    '1 foo.example.com. key667="hello"',
    r'1 foo.example.com. key667="hello\210qoo"',
    "1 foo.example.com. key667=hello",
    "1 . key667",
    '1 . key667=""',
    '1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1"',
    '1 example.com. ipv6hint="2001:db8:122:344::192.0.2.33"',
    "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
    r'16 foo.example.org. alpn="f\\\\oo\\,bar,h2"',
    r"16 foo.example.org. alpn=f\\\092oo\092,bar,h2",
    "1 . alpn=h2 no-default-alpn",
    '1 . alpn=h2 no-default-alpn=""',
    '1 . alpn="h2,h3" port="8443" ipv4hint="192.0.2.1,192.0.2.2"',
    f"1 . ech={ECH}",
    f'1 . ech="{ECH}"',
    "1 . ipv6hint=2001:db8::1 port=1 alpn=h2",
    "1 . dohpath=/dns-query{?dns}",
    '1 . key7="/q{?dns,foo}"',
    "1 . ohttp",
    r"1 . key3=\001\187",
    "1 . mandatory=key667,port key667=x port=65535",
    "1 . key65534=x",
    "65535 a\\.b.example.net. port=0",
]


@pytest.mark.parametrize("text", GOOD)
def test_rdata_is_the_same_as_of_dnspython(text: str) -> None:
    """RFC 9460's test vectors (appendix D) are among them."""
    assert ours(text) == theirs(text)


@pytest.mark.parametrize("text", GOOD)
def test_what_is_shown_is_read_alike(text: str) -> None:
    """By us and by dnspython."""
    wire = ours(text)

    shown = presentation.to_text(RRType.HTTPS, wire)

    assert (wire, wire) == (ours(shown), theirs(shown))


BAD = [
    "",
    "1",
    "x .",
    "-1 .",
    "65536 .",
    '"1" .',
    '1 "."',
    "1 a..b",
    "1 " + "x" * 64,
    "0 . port=1",
    "1 . =x",
    "1 . port",
    "1 . port=",
    '1 . port=""',
    "1 . port=65536",
    "1 . port=+1",
    "1 . port=1 port=2",
    "1 . port=1 key3=x",
    "1 . key3=x",
    "1 . PORT=1",
    "1 . color=red",
    "1 . key0667=x",
    "1 . key65536=x",
    "1 . alpn",
    "1 . alpn=",
    '1 . alpn="h2,,h3"',
    '1 . alpn="h2,"',
    '1 . alpn=",h2"',
    r'1 . alpn="a\\b"',
    f"1 . alpn={'a' * 256}",
    '1 . alpn="a" "b"',
    '1 . alpn="a"b',
    '1 . alpn= "a"',
    '1 . alpn="a',
    "1 . no-default-alpn",
    "1 . alpn=h2 no-default-alpn=x",
    "1 . mandatory",
    "1 . mandatory=port",
    "1 . mandatory=mandatory",
    "1 . mandatory=key0",
    "1 . mandatory=port,port port=1",
    "1 . mandatory=port, port=1",
    "1 . mandatory=color port=1",
    "1 . ipv4hint=2001:db8::1",
    "1 . ipv4hint=192.0.2.1,",
    "1 . ipv4hint=192.0.2.256",
    "1 . ipv6hint=192.0.2.1",
    "1 . ipv6hint=",
    "1 . ech=!!!!",
    "1 . ech=AAAA",
    "1 . ohttp=x",
    "1 . key667=a(b",
    r"1 . key667=\256",
    r"1 . key667=\1",
    "1 . key667=a\\",
]


@pytest.mark.parametrize("text", BAD)
def test_what_dnspython_refuses_is_refused(text: str) -> None:
    """Ours is a ValueProblem."""
    if IS_STRICT:
        with pytest.raises((dns.exception.DNSException, ValueError, SyntaxError)):
            theirs(text)
    with pytest.raises(ValueProblem):
        ours(text)


@pytest.mark.parametrize(
    "text",
    [
        "1 . key65535=x",
        "1 . dohpath=",
        "1 . dohpath=/dns-query",
        "1 . dohpath=dns-query{?dns}",
        "1 . dohpath=/dns-query{?dnssec}",
        "1 . ipv6hint=fe80::1%eth0",
        "1 . port=\ud800",
    ],
)
def test_what_is_refused_beyond_dnspython(text: str) -> None:
    """The reserved key, templates without a "dns" variable, addresses with a zone."""
    with pytest.raises(ValueProblem):
        ours(text)


@pytest.mark.parametrize(
    "rdata",
    [
        b"",
        b"\x00",
        b"\x00\x01",
        b"\x00\x01\xc0\x0c",
        b"\x00\x01\x00\x00",
        b"\x00\x01\x00" + key_value(3, b"\x01"),
        b"\x00\x01\x00" + key_value(3, b"\x01\xbb") + b"\x00",
        b"\x00\x01\x00" + key_value(3, b"\x01\xbb") * 2,
        b"\x00\x01\x00" + key_value(4, b"\xc0\x00\x02\x01") + key_value(3, b"\x01\xbb"),
        b"\x00\x01\x00" + key_value(4, b"\xc0\x00\x02"),
        b"\x00\x01\x00" + key_value(6, b""),
        b"\x00\x01\x00" + key_value(1, b"\x00"),
        b"\x00\x01\x00" + key_value(1, b"\x05h2"),
        b"\x00\x01\x00" + key_value(0, b"\x00\x03"),
        b"\x00\x01\x00" + key_value(0, b"\x00"),
        b"\x00\x01\x00" + key_value(0, b"\x00\x03\x00\x03") + key_value(3, b"\x01\xbb"),
        b"\x00\x01\x00" + key_value(2, b""),
        b"\x00\x01\x00" + key_value(65535, b""),
        b"\x00\x00\x00" + key_value(3, b"\x01\xbb"),
    ],
)
def test_malformed_rdata_is_not_shown(rdata: bytes) -> None:
    """Nor is it taken as octets."""
    with pytest.raises(ValueProblem):
        presentation.to_text(RRType.SVCB, rdata)
    with pytest.raises(ValueProblem):
        ours(presentation.generic_text(rdata))


def test_parameters_are_sorted_by_key() -> None:
    """Whatever order they are written in (RFC 9460 section 2.2)."""
    assert ours("1 . port=1 alpn=h2") == ours("1 . alpn=h2 port=1")
    assert b"\x00\x01\x00" + key_value(1, b"\x02h2") + key_value(3, b"\x00\x01") == ours("1 . port=1 alpn=h2")


def test_a_value_has_at_most_65535_octets() -> None:
    """The length of a value has 16 bits."""
    with pytest.raises(ValueProblem, match="at most 65535"):
        ours(f"1 . key667={'a' * 65536}")


def test_text_is_shown_as_dig_does() -> None:
    """Lists of strings are quoted, numbers and addresses are not."""
    wire = ours('1 svc alpn="h3,h2" no-default-alpn port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1 mandatory=alpn')

    parameters = 'mandatory=alpn alpn="h3,h2" no-default-alpn port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1'
    assert presentation.to_text(RRType.SVCB, wire) == f"1 svc.example.com. {parameters}"


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=4), st.binary(max_size=30))
def test_any_octets_survive_both_levels_of_escapes(items: list[bytes], value: bytes) -> None:
    """Shown by us, read by us and by dnspython."""
    alpn = b"".join([bytes((len(item),)) + item for item in items])
    wire = b"\x00\x01\x00" + key_value(1, alpn) + key_value(667, value)

    text = presentation.to_text(RRType.SVCB, wire)

    assert (wire, wire) == (ours(text), theirs(text))


PIECES = st.sampled_from(
    [
        "",
        "1",
        ".",
        "=",
        " ",
        '"',
        ",",
        "\\",
        "\\\\",
        "\\,",
        "\\065",
        ";",
        "a",
        "h2",
        "0",
        "key667",
        "key3",
        "alpn",
        "port=1",
    ]
)


@st.composite
def altered(draw: st.DrawFn) -> str:
    """A good text with a few places overwritten."""
    text = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(2, len(text)))
        text = text[:start] + draw(PIECES) + text[start + draw(st.integers(0, 4)) :]
    return text


def outcome(read: Callable[[str], bytes], text: str) -> bytes | None:
    """The rdata, or None where the text is refused."""
    try:
        return read(text)
    except (ValueProblem, dns.exception.DNSException, ValueError, SyntaxError):
        return None


@given(altered())
def test_what_we_take_of_any_text_is_what_dnspython_takes(text: str) -> None:
    """We may be stricter, never laxer and never different."""
    assert outcome(ours, text) in (None, outcome(theirs, text))


@given(st.text() | st.text(st.characters(codec=None, exclude_categories=[])))
def test_no_text_raises_anything_else(text: str) -> None:
    """A ValueProblem, or rdata that can be shown."""
    for rest in (text, f"1 . {text}", f"1 . key667={text}", f'1 . alpn="{text}"', f"1 . dohpath={text}"):
        assert told(rest)


def told(text: str) -> str:
    """What is shown of a text, or expected of it."""
    try:
        return presentation.to_text(RRType.SVCB, ours(text))
    except ValueProblem as problem:
        return problem.expected
