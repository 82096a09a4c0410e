"""One answer in the making, and its frame: its length, its options, its OPT; refusals and negative answers. Pure."""

from __future__ import annotations

from .codes import HEADER_OCTETS, PLAIN_UDP_OCTETS, TCP_MESSAGE_OCTETS, EdnsOption, Rcode
from .cookies import answer_cookie
from .outcome import Outcome, Peer
from .picker import Draw
from .query import Query, read
from .response import AUTHORITY, COPIED_FLAGS, FLAG_AA, Response, append_options, encode_opt, encode_option
from .snapshot import Snapshot, State
from .targeting import Location
from .zone import Zone

# What the compiled functions look at for each query: see query.py.
_NOERROR, _NOTIMP = int(Rcode.NOERROR), int(Rcode.NOTIMP)
_NSID, _COOKIE, _SUBNET = int(EdnsOption.NSID), int(EdnsOption.COOKIE), int(EdnsOption.CLIENT_SUBNET)
_AUTHORITY, _AA, _COPIED, _HEADER = AUTHORITY, FLAG_AA, COPIED_FLAGS, HEADER_OCTETS
_TCP_OCTETS, _PLAIN_OCTETS = TCP_MESSAGE_OCTETS, PLAIN_UDP_OCTETS
_OPT_OCTETS = 11  # of an OPT without options


class Answering:
    """One answer in the making: what it was asked with, and what has been decided so far.

    target  of the last CNAME added
    waits   whether the answer would hold up the batch that the question came in

    It may be begun anew for one packet after the other: making its five objects takes as long as a third of an answer.
    """

    __slots__ = (
        "draw",
        "flags",
        "location",
        "now",
        "options",
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
        self.options = b""
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
        self.options = _answer_options(query, peer, now, snapshot)
        opt_octets = _OPT_OCTETS + len(self.options) if query.has_edns else 0
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
    """The EDNS options of the answer, encoded; the client subnet comes last, its scope still as sent."""
    options = b""
    if query.verdict != _NOERROR and query.verdict != _NOTIMP:
        return options
    if query.wants_nsid:
        options += encode_option(_NSID, snapshot.options.identifier.encode())
    if query.cookie:
        cookie = answer_cookie(query.cookie, peer.address, int(now), snapshot.options.cookie_secret)
        options += encode_option(_COOKIE, cookie)
    if query.subnet is not None:
        options += encode_option(_SUBNET, query.subnet.option)
    return options


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
    return response.add(_AUTHORITY, zone.origin, zone.soa, (0,))


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
    options = answering.options
    query = answering.query
    outcome = answering.outcome
    if outcome.scope and query.subnet is not None and options:
        # The option ends with the address; before that stands the scope.
        at = len(options) - len(query.subnet.option) + 3
        options = options[:at] + bytes((outcome.scope,)) + options[at + 1 :]
    if outcome.rcode > 15:
        opt = encode_opt(answering.snapshot.udp_payload_octets, outcome.rcode, query.dnssec_ok, ())
    else:
        opt = answering.snapshot.opts[1 if query.dnssec_ok else 0]
    return append_options(opt, options) if options else opt
