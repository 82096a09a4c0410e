"""Packets that might cost much: made for it, and every one of the table of checks."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from tests.checks.rows import COOKIE, ECS, KEEPALIVE, NSID, PADDING, UNKNOWN_OPTION, edns, name, query, subnet
from tests.checks.table import SECTIONS
from tests.packets import CLIENT_COOKIE, SOA_RECORD, TSIG_RECORD, header, opt_record, option

PACKET_OCTETS = 512
MESSAGE_OCTETS = 65_535
PLAIN = "a plain query"
_A = struct.pack("!HH", 1, 1)
_SUBNET = subnet(2, 128, bytes.fromhex("20010db8000100000000000000000001"))
_Option = tuple[int, bytes]


def _below(origin: bytes, label: bytes) -> bytes:
    """The longest name below `origin` of these labels."""
    return label * ((255 - len(origin)) // len(label)) + origin


def _asked(owner: bytes, rrtype: int = 1, options: bytes = b"") -> bytes:
    return header(ar=1) + owner + struct.pack("!HH", rrtype, 1) + opt_record(options)


def _filled(each: _Option, octets: int, *before: _Option, text: str = "www") -> bytes:
    """A query filled up with one option, again and again."""
    room = octets - len(edns(*before, text=text))
    return edns(*before, *[each] * (room // (4 + len(each[1]))), text=text)


_ALL = [(NSID, b""), (COOKIE, CLIENT_COOKIE * 5), _SUBNET, (KEEPALIVE, b""), (PADDING, bytes(8))]
_OPTIONS = b"".join([option(code, content) for code, content in _ALL])
_SHORT, _WILD = b"\x01a", name("wild")

MADE: dict[str, bytes] = {
    PLAIN: query("www"),
    "a plain query with EDNS": edns(),
    "options of no octets, up to 512": _filled((UNKNOWN_OPTION, b""), PACKET_OCTETS),
    "115 options of no octets": edns(*[(UNKNOWN_OPTION, b"")] * 115),
    "63 options of NSID": edns(*[(NSID, b"")] * 63),
    "cookies, up to 512": _filled((COOKIE, CLIENT_COOKIE), PACKET_OCTETS),
    "client subnets, up to 512": _filled(_SUBNET, PACKET_OCTETS),
    "broken client subnets, up to 512": _filled((ECS, b"\x00\x01\x21\x00"), PACKET_OCTETS),
    "every option": edns(*_ALL),
    "every option, no name": _asked(_below(name(""), _SHORT), 1, _OPTIONS),
    "every option, below a wildcard": _asked(_below(_WILD, _SHORT), 16, _OPTIONS),
    "121 labels, no such name": header() + _below(name(""), _SHORT) + _A,
    "118 labels below a wildcard": header() + _below(_WILD, _SHORT) + b"\x00\x10\x00\x01",
    "118 labels below a wildcard, no such type": header() + _below(_WILD, _SHORT) + _A,
    "119 labels below a cut": header() + _below(name("cut"), _SHORT) + _A,
    "127 labels, no zone": header() + _below(b"\x00", _SHORT) + _A,
    "labels of 63 octets": header() + _below(name(""), b"\x3f" + b"A" * 63) + _A,
    "asterisks": header() + _below(_WILD, b"\x01*") + b"\x00\x10\x00\x01",
    "debug labels": header() + _below(name(""), b"\x07_health") + _A,
    "IXFR, an OPT and a TSIG": header(ns=1, ar=2)
    + name("")
    + b"\x00\xfb\x00\x01"
    + SOA_RECORD
    + opt_record()
    + TSIG_RECORD,
    "a TSIG of a long name": header(ar=1) + query("www")[12:] + _below(b"\x00", _SHORT) + TSIG_RECORD[5:],
    "_country": query("_country", "TXT"),
    "_status": query("_status", "TXT"),
    "version.bind": query("version.bind.", "TXT", 3),
}
# What the zone holds, and not what the packet is, makes these dear.
ZONES_DOING = ("ANY", "truncated", "a CNAME", "many", "30 addresses", "flag day")
OVER_TCP: dict[str, bytes] = {
    "TCP, 64 kB of options of no octets": _filled((UNKNOWN_OPTION, b""), MESSAGE_OCTETS),
    "TCP, one option of 64 kB": edns((UNKNOWN_OPTION, bytes(65_400))),
    "TCP, 64 kB of cookies": _filled((COOKIE, CLIENT_COOKIE), MESSAGE_OCTETS),
    "TCP, 64 kB behind the question": (query("www") + bytes(MESSAGE_OCTETS))[:MESSAGE_OCTETS],
    "TCP, every option and padding of 64 kB": edns(*_ALL, (PADDING, bytes(65_000))),
}


def of_the_table(texts: Iterable[str]) -> dict[str, bytes]:
    """The rows of some sections of the table of checks, no longer than a packet here."""
    return {
        f"{section}: {row.what}": row.wire
        for section in texts
        for row in SECTIONS[section]
        if len(row.wire) <= PACKET_OCTETS
    }
