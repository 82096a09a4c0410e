"""One answer in the making, and its frame: its length, its options, its OPT; refusals and negative answers. Pure."""

from __future__ import annotations

from .codes import HEADER_OCTETS, PLAIN_UDP_OCTETS, TCP_MESSAGE_OCTETS, EdnsOption, Rcode
from .cookies import answer_cookie
from .outcome import Outcome, Peer
from .picker import Draw
from .query import Query, read
from .response import (
    AUTHORITY,
    COPIED_FLAGS,
    FLAG_AA,
    Response,
    encode_opt,
    encode_option,
    one_octet,
    two_octets,
)
from .snapshot import Snapshot, State
from .targeting import Location
from .zone import Zone, blank_match

# What the compiled functions look at for each query: see query.py.
_NOERROR, _NOTIMP = int(Rcode.NOERROR), int(Rcode.NOTIMP)
_NSID, _COOKIE = int(EdnsOption.NSID), int(EdnsOption.COOKIE)
_SUBNET_CODE = EdnsOption.CLIENT_SUBNET.to_bytes(2, "big")
_OPTION_HEAD = 4  # code and length
_AUTHORITY, _AA, _COPIED, _HEADER = AUTHORITY, FLAG_AA, COPIED_FLAGS, HEADER_OCTETS
_TCP_OCTETS, _PLAIN_OCTETS = TCP_MESSAGE_OCTETS, PLAIN_UDP_OCTETS
_OPT_OCTETS = 11  # of an OPT without options


class Answering:
    """One answer in the making: what it was asked with, and what has been decided so far.

    options  of EDNS, encoded, but for the client subnet; `options_octets` counts that too
    target  of the last CNAME added
    waits   whether the answer would hold up the batch that the question came in

    It may be begun anew for one packet after the other: making its five objects takes as long as a third of an answer.
    """

    __slots__ = (
        "draw",
        "flags",
        "location",
        "match",
        "now",
        "options",
        "options_octets",
        "outcome",
        "peer",
        "query",
        "response",
        "snapshot",
        "state",
        "target",
        "waits",
    )

    def __init__(self, peer: Peer, now: float, snapshot: Snapshot, state: State, draw: Draw) -> None:
        self.query = Query()
        self.outcome = Outcome("dropped", _NOERROR)
        self.response = Response(b"", 0, 0)
        self.location = Location(b"", False)
        self.match = blank_match()
        self.options = b""
        self.options_octets = 0
        self.target = b""
        self.flags = 0
        self.waits = False
        self.peer = peer
        self.now = now
        self.snapshot = snapshot
        self.state = state
        self.draw = draw

    def begin(self, wire: bytes, peer: Peer, now: float, snapshot: Snapshot, state: State) -> bool:
        """Take a packet; False if it must not be answered."""
        query = self.query
        if not read(query, wire):
            self.outcome.begin("dropped", _NOERROR, 0)
            return False
        self.peer = peer
        self.now = now
        self.snapshot = snapshot
        self.state = state
        self.flags = _AA
        self.target = b""
        self.waits = False
        self.outcome.begin("answer", _NOERROR, query.qtype)
        opt_octets = 0
        self.options = b""
        self.options_octets = 0
        if query.has_edns:
            if query.verdict in (_NOERROR, _NOTIMP):
                self.options = _answer_options(query, peer, now, snapshot)
                self.options_octets = len(self.options) + _subnet_octets(query)
            else:
                query.subnet = None
            opt_octets = _OPT_OCTETS + self.options_octets
        self.response.begin(query.question, _limit_octets(query, peer, snapshot), opt_octets, query.qname_sent)
        return True


def _limit_octets(query: Query, peer: Peer, snapshot: Snapshot) -> int:
    """How long the message may be: what the client takes, at most what we want to send (RFC 6891 section 6.2.3)."""
    if peer.is_tcp:
        return _TCP_OCTETS
    if query.udp_payload <= _PLAIN_OCTETS:
        return _PLAIN_OCTETS
    return query.udp_payload if query.udp_payload < snapshot.udp_payload_octets else snapshot.udp_payload_octets


def _answer_options(query: Query, peer: Peer, now: float, snapshot: Snapshot) -> bytes:
    """The EDNS options of the answer, encoded, but for the client subnet: that comes last, with its scope."""
    options = b""
    if query.wants_nsid:
        options += encode_option(_NSID, snapshot.options.identifier.encode())
    if query.cookie:
        cookie = answer_cookie(query.cookie, peer.address, int(now), snapshot.options.cookie_secret)
        options += encode_option(_COOKIE, cookie)
    return options


def _subnet_octets(query: Query) -> int:
    """How long the client subnet option of the answer is, 0 for none; it is as long as the one that was sent."""
    return 0 if query.subnet is None else _OPTION_HEAD + len(query.subnet.option)


def refuse(answering: Answering, kind: str, rcode: int) -> None:
    """Say no, without authority."""
    answering.flags = 0
    answering.outcome.kind = kind
    answering.outcome.rcode = rcode


def deny(answering: Answering, zone: Zone, kind: str, rcode: int) -> None:
    """A negative answer: the SOA in the authority section (RFC 2308 section 3)."""
    answering.outcome.kind = kind
    answering.outcome.rcode = rcode
    if not _add_soa(answering.response, zone):
        answering.response.is_truncated = True


def _add_soa(response: Response, zone: Zone) -> bool:
    """Add the zone's SOA; it is ready where it comes first and the question has the origin in the zone's own case."""
    if response.is_empty() and response.qname.endswith(zone.origin):
        return response.add_encoded(_AUTHORITY, zone.denial(_HEADER + len(response.qname) - len(zone.origin)))
    return response.add(_AUTHORITY, zone.origin, zone.soa(), (0,))


def encode_answer(answering: Answering) -> bytes:
    """The message to send."""
    query = answering.query
    outcome = answering.outcome
    outcome.is_truncated = answering.response.is_truncated
    opt = _finish_opt(answering) if query.has_edns else b""
    flags = answering.flags | query.flags & _COPIED
    return answering.response.encode(query.id, flags, outcome.rcode, opt)


def _finish_opt(answering: Answering) -> bytes:
    """The OPT with its options, and the scope that came out (RFC 7871 section 7.2.1)."""
    query = answering.query
    rcode = answering.outcome.rcode
    if rcode > 15:
        opt = encode_opt(answering.snapshot.udp_payload_octets, rcode, query.dnssec_ok, ())
    else:
        opt = answering.snapshot.opts[1 if query.dnssec_ok else 0]
    if not answering.options_octets:
        return opt
    octets = opt
    parts = [octets[: len(opt) - 2], two_octets(answering.options_octets), answering.options]
    if query.subnet is not None:
        _append_subnet(parts, query.subnet.option, answering.outcome.scope)
    return b"".join(parts)


def _append_subnet(parts: list[bytes], option: bytes, scope: int) -> None:
    """Append a client subnet option as it was sent, but for its scope, which is its fourth octet."""
    octets = option
    parts.append(_SUBNET_CODE)
    parts.append(two_octets(len(option)))
    parts.append(octets[:3])
    parts.append(one_octet(scope))
    parts.append(octets[4 : len(option)])
