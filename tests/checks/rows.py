"""A row of the table of checks, and the octets that rows are made of: nothing here keeps a packet from being wrong."""

from __future__ import annotations

import struct
from typing import NamedTuple

import dns.name
import dns.rdatatype

from tests.checks.expecting import Expected
from tests.packets import header, opt_record, option

BOTH, UDP, TCP = ("UDP", "TCP"), ("UDP",), ("TCP",)
NSID, ECS, COOKIE, KEEPALIVE, PADDING, EXTENDED_ERROR = 3, 8, 10, 11, 12, 15
UNKNOWN_OPTION = 65001
ADDRESS = "A 192.0.2.1"


class Row(NamedTuple):
    """One check.

    what      is sent, in words
    source    the RFC and its section that say what is expected
    wire      the octets of the message
    over      the transports, each over IPv4 and IPv6
    """

    what: str
    source: str
    wire: bytes
    expected: tuple[Expected, ...]
    over: tuple[str, ...] = BOTH

    @property
    def expectation(self) -> str:
        return "; ".join([expected.text for expected in self.expected])


class StreamRow(NamedTuple):
    """One check of how messages follow each other on a connection.

    parts    octets as they are sent, each by a call of its own
    answers  the IDs of the messages that come back, in any order, before anything else or the end
    ends     whether the server then closes
    """

    what: str
    source: str
    parts: tuple[bytes, ...]
    answers: tuple[int, ...]
    ends: bool = False

    @property
    def expectation(self) -> str:
        told = f"{len(self.answers)} answers" if self.answers else "no answer"
        return f"{told}; the connection ends" if self.ends else told


def name(text: str) -> bytes:
    """A name in wire form; `text` is below example.com where it has no dot at its end."""
    absolute = text if text.endswith(".") else f"{text}.example.com." if text else "example.com."
    return dns.name.from_text(absolute).to_wire() or b""


def question(text: str, qtype: str | int = "A", qclass: int = 1) -> bytes:
    rrtype = dns.rdatatype.from_text(qtype) if isinstance(qtype, str) else qtype
    return name(text) + struct.pack("!HH", rrtype, qclass)


def header_of(question: bytes) -> bytes:
    """A plain query for a question made by hand."""
    return header() + question


def query(text: str, qtype: str | int = "A", qclass: int = 1, flags: int = 0) -> bytes:
    """A plain query, without EDNS."""
    return header(flags) + question(text, qtype, qclass)


def edns(
    *options: tuple[int, bytes],
    text: str = "www",
    qtype: str | int = "A",
    qclass: int = 1,
    payload: int = 1232,
    version: int = 0,
    flags: int = 0,
) -> bytes:
    """A query with an OPT; `flags` are those of EDNS."""
    encoded = b"".join([option(code, content) for code, content in options])
    return header(ar=1) + question(text, qtype, qclass) + opt_record(encoded, payload, version, flags)


def subnet(family: int, source: int, address: bytes, scope: int = 0) -> tuple[int, bytes]:
    """A client subnet option (RFC 7871 section 6), however wrong."""
    return ECS, struct.pack("!HBB", family, source, scope) + address


def framed(message: bytes) -> bytes:
    """A message as TCP carries it (RFC 1035 section 4.2.2)."""
    return struct.pack("!H", len(message)) + message


def numbered(id: int, message: bytes) -> bytes:
    """The same message with another ID."""
    return id.to_bytes(2, "big") + message[2:]
