"""Zones and packets to compare builds on: each name with each type, each option, each way of being no query at all."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from tests.fuzz.packetmaking import ZONES as EVERYTHING
from tests.packets import (
    A_RECORD,
    CLIENT_COOKIE,
    QUESTION,
    SOA_RECORD,
    TSIG_RECORD,
    ask_with_options,
    header,
    opt_record,
    option,
    subnet_option,
)
from tests.packets import ZONE as PACKETS_ZONE
from tests.twin.questions import Sender

PACKETS_ZONES = {"example.com": PACKETS_ZONE}

_CHECKED = {"name": "pool", "type": "tcp"}
_SITES = ("up", "down", "unknown", "missing")
_HEALTH: dict[str, Any] = {
    "max_hosts": 2,
    "data": {
        "": {"ns": ["ns1.example.net."]},
        "www": {
            "health": _CHECKED,
            "a": [{"a": f"192.0.2.{n}", "weight": n, "health": f"sites/{site}"} for n, site in enumerate(_SITES, 1)],
            "mx": [{"mx": "mail.example.net.", "health": "sites/down"}],
        },
        "near": {
            "health": _CHECKED,
            "closest": True,
            "a": [
                {"a": address, "health": f"sites/{site}"}
                for address, site in zip(("192.0.2.1", "198.51.100.1", "203.0.113.1"), _SITES, strict=False)
            ]
            + [["203.0.113.193", 3], ["198.18.0.1", 0], ["10.0.0.1", 7]],
        },
        "fallen": {"a": [["192.0.2.7"]]},
        "fallen.dk": {"health": _CHECKED, "a": [{"a": "192.0.2.2", "health": "sites/down"}]},
        "gone": {"health": _CHECKED, "a": [{"a": "192.0.2.2", "health": "sites/down"}]},
        "zeros": {"a": [[f"192.0.2.{n}", 0] for n in range(9)]},
        "mixed": {"max_hosts": 9, "a": [[f"192.0.2.{n}", n % 3] for n in range(9)]},
        "large": {"max_hosts": 200, "aaaa": [[f"2001:db8::{n:x}", n] for n in range(1, 3001)]},
    },
}
_HIDDEN: dict[str, Any] = {
    "targeting": "country",
    "data": {"": {"ns": ["ns1.example.net."]}, "www.dk": {"a": [["192.0.2.1"]]}, "*.de": {"txt": "x" * 900}},
}
ODD_ZONES: dict[str, Any] = {
    **EVERYTHING,
    "health.example": _HEALTH,
    "hidden.example": _HIDDEN,
    "x." * 100 + "deep.example": {"data": {"": {"ns": ["a" * 30 + "."]}, "y.y": {"cname": "y.y"}}},
    "example": {"targeting": "@ ip asn", "data": {"": {"mx": {"mx": "@", "preference": 1}}, "*": {"cname": "www"}}},
}

TYPES = (0, 1, 2, 5, 6, 10, 12, 15, 16, 28, 29, 33, 35, 41, 43, 44, 46, 52, 64, 65, 99, 250, 251, 252, 255, 257, 65280)
SENDERS: tuple[Sender, ...] = (
    (bytes((127, 0, 0, 1)), 5353, False, True),
    (bytes((127, 0, 0, 1)), 5353, False, False),
    (bytes((192, 0, 2, 1)), 0, True, False),
    (bytes((203, 0, 113, 70)), 65535, False, True),
    (bytes.fromhex("20010db8000100000000000000000001"), 53, False, False),
    (bytes(15) + b"\x01", 53, True, False),
)
_SUBNETS = (
    subnet_option(0, 0, b""),
    subnet_option(1, 0, b""),
    subnet_option(1, 24, bytes((192, 0, 2))),
    subnet_option(1, 25, bytes((198, 51, 100, 128))),
    subnet_option(1, 32, bytes((203, 0, 113, 7))),
    subnet_option(1, 8, b"\x0a"),
    subnet_option(2, 0, b""),
    subnet_option(2, 48, bytes.fromhex("20010db80002")),
    subnet_option(2, 128, bytes.fromhex("20010db8000100000000000000000001")),
)
_BROKEN_SUBNETS = (
    option(8, b""),
    option(8, b"\x00\x01\x18"),
    subnet_option(1, 24, bytes((192, 0, 2)), scope=24),
    subnet_option(1, 24, bytes((192, 0, 2, 1))),
    subnet_option(1, 23, bytes((192, 0, 3))),
    subnet_option(1, 33, bytes(5)),
    subnet_option(2, 129, bytes(17)),
    subnet_option(3, 0, b""),
    subnet_option(65535, 255, bytes(32)),
    subnet_option(0, 1, b"\x00"),
)
_COOKIES = tuple([option(10, (CLIENT_COOKIE + bytes(40))[:octets]) for octets in (8, 5, 9, 15, 16, 24, 40, 41)])
OPTIONS = (
    *_SUBNETS,
    *_BROKEN_SUBNETS,
    *_COOKIES,
    option(3, b""),
    option(3, b"asked with some"),
    option(3, b"") + _SUBNETS[2] + _COOKIES[0],
    _SUBNETS[2] + _SUBNETS[3],
    _SUBNETS[2] + _BROKEN_SUBNETS[0],
    option(65001, bytes(300)),
    option(0, b"") * 1023,
    option(0, b"") * 1024,
    b"\x00",
    b"\x00\x08\x00\x08\x00\x01",
    b"\x00\x08\xff\xff",
)


def wire_name(text: str) -> bytes:
    """A name of plain letters in wire form."""
    return b"".join([bytes((len(label),)) + label.encode() for label in text.split(".") if label]) + b"\x00"


def question(name: bytes, qtype: int, qclass: int = 1) -> bytes:
    """A question section."""
    return name + struct.pack("!HH", qtype, qclass)


def names(zones: dict[str, Any]) -> list[bytes]:
    """Every label of some zones, what stands above, below and beside it, and names of the server's own."""
    found = {""}
    for origin, zone in zones.items():
        for label in ("", *zone["data"]):
            if label.isascii() and not any(mark in label for mark in "\\[*"):
                found.update(f"{before}{label}.{origin}" for before in ("", "deeper.", "a.b.", "x"))
        found.update(f"{label}.{origin}" for label in ("_status", "_health", "_country", "a._country", "*", "nope.us"))
        found.add(origin.partition(".")[2])
    found.update(("version.bind", "VERSION.server", "hostname.bind", "id.server", "authors.bind", "example.org"))
    return sorted(wire_name(text) for text in found if len(text) < 250)


def plain_packets(zones: dict[str, Any]) -> Iterator[bytes]:
    """Every name with every type, with an OPT and without, in either case."""
    for number, name in enumerate(names(zones)):
        for qtype in TYPES:
            payload = (0, 512, 1232, 4096)[(number + qtype) % 4]
            yield header(0x0100) + question(name, qtype)
            yield header(ar=1) + question(name.swapcase(), qtype) + opt_record(_SUBNETS[qtype % 9], payload, 0, 0x8000)
        for qclass in (0, 3, 4, 254, 255):
            yield header() + question(name, 16, qclass)


def option_packets() -> Iterator[bytes]:
    """Every option for names that mind them, by itself and twice."""
    for text in ("www", "geo", "many", "_country", "nope"):
        name = wire_name(f"{text}.example.com")
        for options in OPTIONS:
            for qtype in (1, 16, 255):
                for more in (b"", options):
                    yield header(ar=1) + question(name, qtype) + opt_record(options + more)
    for payload in (0, 1, 511, 512, 513, 700, 900, 1231, 1232, 1233, 65535):
        for text in ("mixed", "thirty", "many", "flood", "www"):
            for qtype in (1, 255):
                yield header(ar=1) + question(wire_name(f"{text}.example.com"), qtype) + opt_record(b"", payload)


def odd_packets() -> Iterator[bytes]:
    """Packets that nobody should send: wrong counts, flags, records, and cut at every octet."""
    whole = ask_with_options(_SUBNETS[2] + _COOKIES[0] + option(3, b""))
    yield from (whole[:octets] for octets in range(len(whole) + 1))
    yield from (whole[:at] + b"\xff" + whole[at + 1 :] for at in range(len(whole)))
    yield from (whole[:at] + b"\x00" + whole[at + 1 :] for at in range(len(whole)))
    for flags in range(0, 0x10000, 0x0110):
        yield header(flags) + QUESTION
    for counts in ((0, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 3), (65535,) * 4):
        for opcode in range(16):
            for behind in (b"", A_RECORD, SOA_RECORD, TSIG_RECORD, opt_record(), opt_record() * 2, TSIG_RECORD * 2):
                yield header(opcode << 11, *counts) + QUESTION + behind
    for records in (opt_record(version=1), opt_record(owner=b"\x01a\x00"), opt_record() + TSIG_RECORD, A_RECORD):
        for count in (1, 2):
            yield header(ar=count) + QUESTION + records
            yield header(ns=1, ar=count) + question(wire_name("example.com"), 251) + SOA_RECORD + records
    yield header(qd=0, ar=1) + opt_record(_COOKIES[0])
    for length in range(256):
        yield header() + question(bytes((length,)) * (length + 1) + b"\x00", 1)
    yield header() + question((b"\x3f" + b"x" * 63) * 3 + b"\x3d" + b"x" * 61 + b"\x00", 1)
    yield header() + question((b"\x3f" + b"x" * 63) * 3 + b"\x3e" + b"x" * 62 + b"\x00", 1)
    yield header() + question(b"\x01x" * 127 + b"\x00", 1)
    yield header() + question(b"\x01x" * 128 + b"\x00", 1)
    yield header() + question(b"\xc0\x0c", 1)
    yield b"\xff" * 65535
    yield bytes(65535)
    yield header() + QUESTION + bytes(65000)
