"""Rows about TCP: how messages follow each other on one connection."""

from __future__ import annotations

from tests.checks.rows import StreamRow, edns, framed, numbered, query
from tests.packets import QUESTION, header

_QUERY = query("www")
_RESPONSE = header(0x8000) + QUESTION


def _pipeline(count: int, message: bytes = _QUERY) -> bytes:
    return b"".join([framed(numbered(id, message)) for id in range(count)])


def _octets(octets: bytes) -> tuple[bytes, ...]:
    return tuple([bytes((octet,)) for octet in octets])


ROWS = [
    StreamRow("a message of length 0", "7766 8", (b"\x00\x00",), (), ends=True),
    StreamRow("a message of 11 octets", "1035 4.2.2", (framed(header()[:11]),), (), ends=True),
    StreamRow("a response", "8906 3", (framed(_RESPONSE),), (), ends=True),
    StreamRow("a query, then a response", "8906 3", (_pipeline(1) + framed(_RESPONSE),), (0,), ends=True),
    StreamRow("two queries, one after the other", "7766 6.2.1", (_pipeline(1), framed(numbered(7, _QUERY))), (0, 7)),
    StreamRow("300 queries at once", "7766 6.2.1.1", (_pipeline(300),), tuple(range(300))),
    StreamRow("a query octet by octet", "7766 8", _octets(_pipeline(1)), (0,)),
    StreamRow("its length in a segment of its own", "7766 8", (framed(_QUERY)[:2], _QUERY), (0x4744,)),
    StreamRow("two queries cut in the middle", "7766 8", (_pipeline(2)[:40], _pipeline(2)[40:]), (0, 1)),
    StreamRow("a malformed query, then a good one", "7766 6.2.1", (framed(header(qd=2)) + _pipeline(1),), (0x4744, 0)),
    StreamRow(
        "65,535 octets of one query", "1035 4.2.2", (framed(numbered(3, _QUERY + bytes(65_535 - len(_QUERY)))),), (3,)
    ),
    StreamRow(
        "a CHAOS query between two others",
        "7766 7",
        (_pipeline(1) + framed(numbered(9, query("id.server.", "TXT", 3))) + framed(_QUERY),),
        (0, 9, 0x4744),
    ),
    StreamRow("queries with EDNS", "7766 6.2.1", (_pipeline(10, edns()),), tuple(range(10))),
]
