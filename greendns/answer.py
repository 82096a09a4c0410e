"""query -> zone -> client -> records -> response: the one function that answers a packet, and its stages.

Pure: no I/O, no clock, no logging, no gevent. What was loaded comes in as a Snapshot, time and chance as arguments.
Each stage is a function of its own, so that `explain` walks the same way and stops at every one.
"""

from __future__ import annotations

from . import chaos
from .answering import (
    NOT_AUTHORITATIVE,
    NOT_SUPPORTED,
    PROHIBITED,
    STALE_ANSWER,
    Answering,
    encode_answer,
    refuse,
)
from .codes import (
    HEADER_OCTETS,
    TCP_MESSAGE_OCTETS,
    UDP_PAYLOAD_OCTETS,
    EdnsOption,
    ExtendedError,
    Rcode,
    RRClass,
    RRType,
)
from .onename import answer_name
from .outcome import WAIT, Peer, Reply
from .picker import Draw
from .query import parse
from .response import ANSWER, COPIED_FLAGS, FLAG_QR, Response, encode_opt
from .snapshot import Snapshot, State
from .zone import Zone

# CNAMEs followed within our zones; a longer chain is a mistake, and resolvers give up at 8 to 16 themselves.
CHAIN_LIMIT = 8

# What the compiled functions look at for each query: see query.py.
_IN, _CH = int(RRClass.IN), int(RRClass.CH)
_AXFR, _IXFR = int(RRType.AXFR), int(RRType.IXFR)
_NOERROR, _NOTIMP, _REFUSED = int(Rcode.NOERROR), int(Rcode.NOTIMP), int(Rcode.REFUSED)
_CHAIN = CHAIN_LIMIT
# Of the third octet of a header (RFC 1035 section 4.1.1).
_QR_OCTET, _OPCODE_AND_RD = 0x80, 0x79


def answer(wire: bytes, peer: Peer, now: float, snapshot: Snapshot, state: State, draw: Draw) -> Reply:
    """Answer one packet.

    now    seconds since 1970
    draw   draw(n) returns a uniform integer in 0 <= x < n
    Returns the bytes to send, None where silence is the answer, WAIT where a batch would be held up, and what became of
    the packet.
    """
    answering = Answering(peer, now, snapshot, state, draw)
    return answer_with(answering, wire, peer, now, snapshot, state), answering.outcome


def answer_with(
    answering: Answering, wire: bytes, peer: Peer, now: float, snapshot: Snapshot, state: State
) -> bytes | None:
    """The same with an answer that was made before: its `outcome` is this packet's until the next one."""
    if not answering.begin(wire, peer, now, snapshot, state):
        return None
    query = answering.query
    if query.verdict != _NOERROR:
        refuse(answering, "error", query.verdict, NOT_SUPPORTED if query.verdict == _NOTIMP else b"")
    elif snapshot.may_ask is not None and not is_let_in(peer.address, snapshot):
        # Not silence: whoever was led here would ask again and again (RFC 8906 section 2).
        refuse(answering, "refused", _REFUSED, PROHIBITED)
    elif query.question:
        _answer_question(answering)
    else:
        # A cookie alone was asked for (RFC 7873 section 5.4), and nobody is an authority for no name.
        answering.flags = 0
    return WAIT if answering.waits else encode_answer(answering)


def is_let_in(address: bytes, snapshot: Snapshot) -> bool:
    """Whether an address may ask at all (access.queries)."""
    return snapshot.may_ask is None or snapshot.may_ask.has(address)


def servfail(wire: bytes) -> bytes | None:
    """The answer to a packet that we failed on: the header and, where it can be read, the question."""
    query = parse(wire)
    if query is None:
        return None
    flags = FLAG_QR | query.flags & COPIED_FLAGS
    told = ((EdnsOption.EXTENDED_ERROR, ExtendedError.OTHER.to_bytes(2, "big")),)
    opt = encode_opt(UDP_PAYLOAD_OCTETS, Rcode.SERVFAIL, query.dnssec_ok, told) if query.has_edns else b""
    return Response(query.question, TCP_MESSAGE_OCTETS, 0).encode(query.id, flags, Rcode.SERVFAIL, opt)


def bare_servfail(wire: bytes) -> bytes | None:
    """The same where not even the question can be read: a header with the id, opcode and RD of the query."""
    if len(wire) < HEADER_OCTETS or wire[2] & _QR_OCTET:
        return None
    return wire[:2] + bytes((_QR_OCTET | wire[2] & _OPCODE_AND_RD, Rcode.SERVFAIL)) + bytes(HEADER_OCTETS - 4)


# -- which zone, which client


def _answer_question(answering: Answering) -> None:
    query = answering.query
    if query.qclass == _CH:
        _answer_chaos(answering)
        return
    if query.qclass != _IN:
        refuse(answering, "refused", _REFUSED, NOT_SUPPORTED)
        return
    if query.qtype in (_AXFR, _IXFR):
        refuse(answering, "refused", _REFUSED, PROHIBITED)
        return
    zone = answering.snapshot.zones.match(query.qname, query.qtype)
    if zone is None:
        refuse(answering, "refused", _REFUSED, NOT_AUTHORITATIVE)
        return
    answering.outcome.zone = zone
    if answering.snapshot.stale_zones and zone.number in answering.snapshot.stale_zones:
        answering.extended_error = STALE_ANSWER
    _follow_chain(answering, zone)


def _answer_chaos(answering: Answering) -> None:
    """version.bind and its like (RFC 4892); nothing else is known in class CH."""
    if answering.peer.is_batched:
        answering.waits = True
        return
    query = answering.query
    rrset = chaos.chaos_rrset(query.qname, answering.snapshot.options)
    if rrset is None or query.qtype not in (RRType.TXT, RRType.ANY):
        refuse(answering, "refused", _REFUSED, NOT_AUTHORITATIVE)
        return
    answering.outcome.kind = "chaos"
    if not answering.response.add(ANSWER, query.qname_sent, rrset, (0,)):
        answering.response.is_truncated = True


def _follow_chain(answering: Answering, zone: Zone) -> None:
    """Answer the question, and go on at each CNAME's target as long as it is ours; the last name's rcode counts
    (RFC 6604 section 3)."""
    query = answering.query
    owner = answering.response.qname
    qname = query.qname
    followed: list[bytes] | None = None
    while True:
        octets = qname
        target = answer_name(answering, zone, owner, octets[: len(qname) - zone.origin_octets])
        if target is None or answering.response.is_truncated:
            return
        if followed is None:
            followed = []
        if len(followed) == _CHAIN:
            return
        followed.append(qname)
        owner = target
        qname = target.lower()
        next_zone = answering.snapshot.zones.match(qname, query.qtype)
        if next_zone is None or qname in followed:
            return
        zone = next_zone
