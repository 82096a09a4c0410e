"""Rows about EDNS: the OPT, its flags, sizes and options."""

from __future__ import annotations

from tests.checks.expecting import (
    ADDITIONAL,
    AUTHORITATIVE,
    BADVERS,
    DO_CLEAR,
    DO_COPIED,
    FORMERR,
    HAS_OPT,
    NO_OPT,
    NO_RECORDS,
    NOERROR,
    NOT_AUTHORITATIVE,
    PADDED,
    REFUSED,
    TRUNCATED,
    WHOLE,
    Expected,
    answer_count,
    answers,
    extended_error,
    has_option,
    no_option,
    octets_at_most,
    option_is,
    option_starts,
    records,
)
from tests.checks.rows import (
    ADDRESS,
    COOKIE,
    ECS,
    EXTENDED_ERROR,
    KEEPALIVE,
    NSID,
    PADDING,
    TCP,
    UDP,
    UNKNOWN_OPTION,
    Row,
    edns,
    query,
    subnet,
)
from tests.packets import CLIENT_COOKIE, QUESTION, TSIG_RECORD, header, opt_record, option

_GOOD = (NOERROR, AUTHORITATIVE, answers(ADDRESS), HAS_OPT)
_BAD = (FORMERR, NOT_AUTHORITATIVE, NO_RECORDS)
_BAD_OPTION = (*_BAD, HAS_OPT)


def _with_opt(opt: bytes, count: int = 1) -> bytes:
    return header(ar=count) + QUESTION + opt


OPT = [
    Row("no OPT", "6891 6.1.1", query("www"), (NOERROR, NO_OPT)),
    Row("an OPT", "6891 6.1.1", edns(), (*_GOOD, DO_CLEAR)),
    Row("DO", "3225 3", edns(flags=0x8000), (*_GOOD, DO_COPIED)),
    Row("CO", "9824 5.1, 6891 6.1.4", edns(flags=0x4000), (*_GOOD, DO_CLEAR)),
    Row("DO and all undefined flags", "6891 6.1.4", edns(flags=0xBFFF), (*_GOOD, DO_COPIED)),
    Row("all undefined flags", "6891 6.1.4", edns(flags=0x3FFF), (*_GOOD, DO_CLEAR)),
    Row("EDNS version 1", "6891 6.1.3", edns(version=1), (BADVERS, NOT_AUTHORITATIVE, NO_RECORDS, HAS_OPT)),
    Row("EDNS version 255", "6891 6.1.3", edns(version=255), (BADVERS, NOT_AUTHORITATIVE, NO_RECORDS, HAS_OPT)),
    Row(
        "EDNS version 1 and an unknown option",
        "8906 8.2.4",
        edns((UNKNOWN_OPTION, b"abc"), version=1),
        (BADVERS, NO_RECORDS, HAS_OPT, no_option(UNKNOWN_OPTION, "option 65001")),
    ),
    Row("an extended RCODE in the query", "6891 6.1.3", _with_opt(b"\x00\x00\x29\x04\xd0\x17" + bytes(5)), _GOOD),
    Row("two OPTs", "6891 6.1.1", _with_opt(opt_record() * 2, 2), _BAD),
    Row("an OPT with an owner", "6891 6.1.2", _with_opt(opt_record(owner=b"\x03www\x00")), _BAD),
    Row("an OPT whose owner is a pointer", "6891 6.1.2", _with_opt(opt_record(owner=b"\xc0\x0c")), _BAD),
    Row("an OPT in the answer section", "6891 6.1.1", header(an=1) + QUESTION + opt_record(), _BAD),
    Row("an OPT in the authority section", "6891 6.1.1", header(ns=1) + QUESTION + opt_record(), _BAD),
    Row("an OPT cut short", "6891 6.1.2", _with_opt(opt_record()[:-1]), _BAD),
    Row("an OPT and an octet behind it", "1035 4.1", _with_opt(opt_record() + b"\x00"), _BAD),
    Row("an OPT that is not counted", "1035 4.1", _with_opt(opt_record(), 0), _BAD),
    Row("an OPT and a TSIG", "8945 5.2.1: as above", _with_opt(opt_record() + TSIG_RECORD, 2), _GOOD),
]

OPTIONS = [
    Row(
        "an unknown option",
        "6891 6.1.2",
        edns((UNKNOWN_OPTION, b"abc")),
        (*_GOOD, no_option(UNKNOWN_OPTION, "option 65001")),
    ),
    Row("an unknown option of no octets", "6891 6.1.2", edns((UNKNOWN_OPTION, b"")), _GOOD),
    Row("an unknown option of 1,000 octets", "6891 6.1.2", edns((UNKNOWN_OPTION, bytes(1000))), _GOOD),
    Row("half the head of an option", "6891 6.1.2", _with_opt(opt_record(b"\x00\x0a\x00")), _BAD_OPTION),
    Row("an option longer than the OPT", "6891 6.1.2", _with_opt(opt_record(b"\xfd\xe9\x00\x09abcd")), _BAD_OPTION),
    Row(
        "an OPT longer than the message",
        "6891 6.1.2",
        _with_opt(opt_record(option(UNKNOWN_OPTION, b"abcd"))[:-1]),
        _BAD,
    ),
    Row("120 options of no octets", "6891 6.1.2", edns(*[(UNKNOWN_OPTION, b"")] * 120), _GOOD),
    Row("1,100 options", "6891 6.1.2, read for 1,024", edns(*[(UNKNOWN_OPTION, b"")] * 1100), _BAD_OPTION),
    Row("NSID", "5001 2.1", edns((NSID, b"")), (*_GOOD, option_is(NSID, "NSID", b"testid"))),
    Row("NSID with octets in it", "5001 2.1", edns((NSID, b"abc")), (*_GOOD, option_is(NSID, "NSID", b"testid"))),
    Row("no NSID asked for", "5001 2.2", edns(), (*_GOOD, no_option(NSID, "NSID"))),
    Row("keepalive", "7828 3.2.1", edns((KEEPALIVE, b"")), (*_GOOD, no_option(KEEPALIVE, "keepalive")), UDP),
    Row("padding of 20 octets", "7830 4", edns((PADDING, bytes(20))), (*_GOOD, no_option(PADDING, "padding")), UDP),
    Row("keepalive", "7828 3.3.2", edns((KEEPALIVE, b"")), (*_GOOD, has_option(KEEPALIVE, "keepalive", 2)), TCP),
    Row("no keepalive asked for", "7828 3.3.2", edns(), (*_GOOD, no_option(KEEPALIVE, "keepalive")), TCP),
    Row("padding of 20 octets", "7830 4, 8467 4.1", edns((PADDING, bytes(20))), (*_GOOD, PADDED), TCP),
    Row(
        "a name of no zone here, with EDNS",
        "8914 4.21",
        edns(text="www.example.org."),
        (REFUSED, has_option(EXTENDED_ERROR, "extended error", 2), extended_error(20)),
    ),
    Row(
        "NSID, cookie, client subnet and an unknown option",
        "6891 6.1.2, 8906 8.2.8",
        edns((NSID, b""), (COOKIE, CLIENT_COOKIE), subnet(1, 24, bytes((192, 0, 2))), (UNKNOWN_OPTION, b"x")),
        (*_GOOD, has_option(NSID, "NSID"), has_option(COOKIE, "cookie"), has_option(ECS, "client subnet")),
    ),
]

_COOKIE_GOOD = (*_GOOD, has_option(COOKIE, "cookie", 24), option_starts(COOKIE, "cookie", CLIENT_COOKIE))
_GOOD_COOKIES = (8, 16, 17, 24, 39, 40)
_BAD_COOKIES = (0, 1, 7, 9, 15, 41, 64)

COOKIES = [
    *[
        Row(
            f"a cookie of {size} octets", "7873 5.2.3, 9018 4", edns((COOKIE, (CLIENT_COOKIE * 6)[:size])), _COOKIE_GOOD
        )
        for size in _GOOD_COOKIES
    ],
    *[
        Row(f"a cookie of {size} octets", "7873 5.2.2", edns((COOKIE, (CLIENT_COOKIE * 9)[:size])), _BAD_OPTION)
        for size in _BAD_COOKIES
    ],
    Row(
        "a cookie and no question",
        "7873 5.4",
        header(qd=0, ar=1) + opt_record(option(COOKIE, CLIENT_COOKIE)),
        (NOERROR, NO_RECORDS, has_option(COOKIE, "cookie", 24)),
    ),
    Row(
        "a cookie of 3 octets and no question",
        "7873 5.4",
        header(qd=0, ar=1) + opt_record(option(COOKIE, b"abc")),
        _BAD,
    ),
]


def _ask_place(*options: tuple[int, bytes]) -> bytes:
    return edns(*options, text="geo", qtype="TXT")


def _place(what: str, source: str, option: tuple[int, bytes], place: str, scope: int) -> Row:
    """The place that answers, and the option as it was sent, but for its scope."""
    content = option[1][:3] + bytes((scope,)) + option[1][4:]
    expected = (NOERROR, answers(f'TXT "{place}"'), option_is(ECS, "client subnet", content))
    return Row(what, source, _ask_place(option), expected)


def _malformed(what: str, source: str, *options: tuple[int, bytes]) -> Row:
    return Row(what, source, _ask_place(*options), _BAD_OPTION)


_V4 = bytes((192, 0, 2, 0))
_V6 = bytes.fromhex("20010db8000100000000000000000000")
_GERMANY = subnet(1, 24, _V4[:3])

# Here the socket is in Denmark. A scope is the length of the network that the database found, never more than was
# sent, or 0 where the subnet was of no use (RFC 7871 section 7.2.1).
SUBNETS = [
    _place("192.0.2.0/24", "7871 7.2.1", _GERMANY, "de", 24),
    _place("203.0.113.7/32", "7871 7.2.1", subnet(1, 32, bytes((203, 0, 113, 7))), "us", 26),
    _place("2001:db8:1::/56", "7871 7.2.1", subnet(2, 56, _V6[:7]), "se", 48),
    _place("10.1.2.0/24, private", "7871 7.1.2", subnet(1, 24, bytes((10, 1, 2))), "dk", 0),
    _place("127.0.0.0/8, loopback", "7871 7.1.2", subnet(1, 8, b"\x7f"), "dk", 0),
    _place("::1/128, loopback", "7871 7.1.2", subnet(2, 128, bytes(15) + b"\x01"), "dk", 0),
    _place("224.0.0.0/4, multicast", "7871 7.1.2", subnet(1, 4, b"\xe0"), "dk", 0),
    _place("fe80::/10, link-local", "7871 7.1.2", subnet(2, 10, b"\xfe\x80"), "dk", 0),
    _place("IPv4 /0", "7871 7.1.2", subnet(1, 0, b""), "dk", 0),
    _place("IPv6 /0", "7871 7.1.2", subnet(2, 0, b""), "dk", 0),
    _place("family 0", "7871 7.1.2", subnet(0, 0, b""), "dk", 0),
    _malformed("family 0 and a prefix", "7871 7.1.2", subnet(0, 8, b"\x01")),
    _malformed("family 3", "7871 7.1.2", subnet(3, 24, _V4[:3])),
    _malformed("family 65535", "7871 7.1.2", subnet(65535, 0, b"")),
    _malformed("IPv4 /33", "7871 6", subnet(1, 33, _V4 + b"\x00")),
    _malformed("IPv6 /129", "7871 6", subnet(2, 129, _V6 + b"\x00")),
    _malformed("a bit set beyond the prefix", "7871 6", subnet(1, 23, bytes((192, 0, 3)))),
    _malformed("bits set beyond an IPv6 prefix", "7871 6", subnet(2, 57, _V6[:7] + b"\x40")),
    _malformed("one octet of address too many", "7871 6", subnet(1, 24, _V4)),
    _malformed("one octet of address too few", "7871 6", subnet(1, 24, _V4[:2])),
    _malformed("a scope prefix in a query", "7871 7.1.2", subnet(1, 24, _V4[:3], scope=24)),
    _malformed("three octets", "7871 6", (ECS, b"\x00\x01\x18")),
    _malformed("no octets", "7871 6", (ECS, b"")),
    Row(
        "two client subnets: the first one counts",
        "7871 7.1.1",
        _ask_place(_GERMANY, subnet(2, 56, _V6[:7])),
        (NOERROR, answers('TXT "de"')),
    ),
    Row(
        "a client subnet where nothing depends on it",
        "7871 7.2.1",
        edns(_GERMANY),
        (*_GOOD, option_is(ECS, "client subnet", b"\x00\x01\x18\x00" + _V4[:3])),
    ),
]


def _long(payload: int, *expected: Expected, over: tuple[str, ...] = UDP, text: str = "many") -> Row:
    return Row(
        f"{payload} octets offered, a long answer", "6891 6.2.3", edns(text=text, payload=payload), expected, over
    )


# RFC 9715 section 3.1: a server caps what it sends at 1,232 octets or so, whatever is offered.
SIZES = [
    *[_long(payload, NOERROR, TRUNCATED, HAS_OPT, octets_at_most(512)) for payload in (0, 511, 512)],
    *[_long(payload, NOERROR, TRUNCATED, HAS_OPT, octets_at_most(1232)) for payload in (1231, 1232, 4096, 65535)],
    *[_long(payload, NOERROR, WHOLE, answer_count(200), over=TCP) for payload in (0, 512, 65535)],
    Row("no OPT, a long answer", "2181 9", query("many"), (NOERROR, TRUNCATED, NO_OPT, octets_at_most(512)), UDP),
    Row("no OPT, a long answer", "7766 5", query("many"), (NOERROR, WHOLE, answer_count(200)), TCP),
    Row("no OPT, 30 addresses in 512 octets", "2181 9", query("30"), (NOERROR, WHOLE, answer_count(30)), UDP),
    Row(
        "512 offered, 30 addresses in 523 octets",
        "6891 6.2.3",
        edns(text="30", payload=512),
        (NOERROR, TRUNCATED),
        UDP,
    ),
    Row("1232 offered, 30 addresses", "6891 6.2.3", edns(text="30"), (NOERROR, WHOLE, answer_count(30)), UDP),
    Row("1231 offered, answer of 1232", "6891 6.2.3", edns(text="exact", qtype="TXT", payload=1231), (TRUNCATED,), UDP),
    Row("1232 offered, answer of 1232", "6891 6.2.3", edns(text="exact", qtype="TXT"), (WHOLE, answer_count(1)), UDP),
    Row("a referral whose glue fits", "9471 3.1", edns(text="www.cut"), (WHOLE, records(ADDITIONAL, "A 192.0.2.54"))),
]

ROWS = {"EDNS": OPT, "Options": OPTIONS, "Cookies": COOKIES, "Client subnet": SUBNETS, "Sizes": SIZES}
