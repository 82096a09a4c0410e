"""How much larger answers by UDP are than their queries: for each kind of answer, from a live server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.checks.asking import Transport, ask, transports
from tests.checks.rows import COOKIE, NSID, edns, query
from tests.packets import CLIENT_COOKIE, QUESTION, header
from tests.serving import Server

# Of IPv4 and UDP, around query and answer alike.
FRAME_OCTETS = 28
_OFFER = 4096


class Kind(NamedTuple):
    """A kind of answer, and the shortest queries that get the longest one: without EDNS and with it, None for none."""

    what: str
    plain: bytes | None
    with_edns: bytes | None


class Size(NamedTuple):
    """Octets of a query and its answer."""

    query: int
    answer: int

    @property
    def factor(self) -> float:
        return self.answer / self.query

    @property
    def framed_factor(self) -> float:
        """On the wire, the headers of IPv4 and UDP included."""
        return (self.answer + FRAME_OCTETS) / (self.query + FRAME_OCTETS)


def _kind(what: str, text: str, qtype: str | int = "A", qclass: int = 1) -> Kind:
    return Kind(what, query(text, qtype, qclass), edns(text=text, qtype=qtype, qclass=qclass, payload=_OFFER))


KINDS = [
    _kind("an address", "www"),
    _kind("4 addresses of an NTP pool", "pool"),
    _kind("4 IPv6 addresses of an NTP pool", "pool", "AAAA"),
    _kind("30 addresses", "30"),
    _kind("200 addresses: truncated", "many"),
    _kind("the largest text that fits with EDNS", "exact", "TXT"),
    _kind("ANY, records of all types", "full", "ANY"),
    _kind("three records behind two CNAMEs", "alias"),
    _kind("the SOA", "", "SOA"),
    _kind("the name servers", "", "NS"),
    _kind("a referral with glue and no DS", "cut"),
    _kind("no such type (NODATA)", "www", "MX"),
    _kind("no such name (NXDOMAIN)", "x"),
    _kind("REFUSED: no zone of ours", "."),
    _kind("REFUSED: a transfer", "", "AXFR"),
    _kind("version.bind", "version.bind.", "TXT", 3),
    Kind("NSID and a cookie beside an address", None, edns((NSID, b""), (COOKIE, CLIENT_COOKIE))),
    Kind("a cookie alone", None, header(ar=1, qd=0) + edns((COOKIE, CLIENT_COOKIE))[12 + len(QUESTION) :]),
    Kind("BADVERS", None, edns(text=".", version=1)),
    Kind("FORMERR: no question", header(qd=0), None),
    Kind("FORMERR: malformed", header() + QUESTION + b"\x00", edns(payload=_OFFER) + b"\x00"),
    Kind("NOTIMP", header(2 << 11, qd=0), None),
    Kind("a response: no answer", header(0x8000) + QUESTION, header(0x8000, ar=1) + edns()[12:]),
]
SILENT = KINDS[-1]


def measure(kind: Kind, wire: bytes, way: Transport) -> Size:
    return Size(len(wire), len(ask(way, wire, is_answered=kind is not SILENT) or b""))


def sizes(server: Server) -> dict[str, tuple[Size | None, Size | None]]:
    """Of each kind, without EDNS and with it."""
    way = transports(server)[0]
    return {
        kind.what: (
            measure(kind, kind.plain, way) if kind.plain is not None else None,
            measure(kind, kind.with_edns, way) if kind.with_edns is not None else None,
        )
        for kind in KINDS
    }


def document(server: Server) -> str:
    """The page, with what this server sends."""
    found = sizes(server)
    both = [size for pair in found.values() for size in pair if size is not None]
    worst = max(both, key=lambda size: size.factor)
    plain = max([pair[0] for pair in found.values() if pair[0] is not None], key=lambda size: size.factor)
    head = _HEAD.format(worst=_told(worst), plain=_told(plain))
    return head + "\n".join([*_lines(found), ""])


def _told(size: Size) -> str:
    return (
        f"{size.answer:,} octets for {size.query}, a factor of {size.factor:.1f}, or {size.framed_factor:.1f} with the "
        f"{FRAME_OCTETS} of IPv4 and UDP around both"
    )


def _lines(found: dict[str, tuple[Size | None, Size | None]]) -> Iterator[str]:
    for what, pair in found.items():
        yield f"| {what} | {' | '.join([_cells(size) for size in pair])} |"


def _cells(size: Size | None) -> str:
    return f"{size.query} → {size.answer} | {size.factor:.1f}" if size is not None else " | "


_HEAD = """\
# Amplification

Whoever forges the source of a query has its answer sent to somebody else. What that is worth to them is the ratio of
both, here in octets of DNS by UDP, from a live server (`make checks` writes this page; the tests hold it to what is
sent). No answer is longer than `dns.udp_payload_octets`, 1,232 octets, whatever size a client offers, or than 512
without EDNS. What does not fit is truncated: then there is nothing to gain. A response is never answered, so that no
two servers can be set upon each other.

The worst case here without EDNS: {plain}.
With it: {worst}.
A zone with so much at one name has such a worst case: with a name of n octets, 1,232 for n + 27.
What limits it: [rate limiting](rate-limiting.md); `cookies.required`; `dns.any`, where many types stand at one name;
a smaller `dns.udp_payload_octets`.

| answer | plain: octets | factor | with EDNS, 4,096 offered: octets | factor |
|---|---|---|---|---|
"""
