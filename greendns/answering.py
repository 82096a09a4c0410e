"""One answer in the making, and its frame: its length, its options, its OPT; refusals and negative answers. Pure."""

from __future__ import annotations

from .codes import HEADER_OCTETS, PLAIN_UDP_OCTETS, TCP_MESSAGE_OCTETS, EdnsOption, ExtendedError, Rcode
from .cookies import is_valid, is_young, make_cookie
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


def _extended_error(code: ExtendedError) -> bytes:
    """The option that tells an error without a text (RFC 8914 section 2)."""
    return encode_option(EdnsOption.EXTENDED_ERROR, two_octets(code))


# What `refuse` tells beside the rcode.
PROHIBITED = _extended_error(ExtendedError.PROHIBITED)
NOT_AUTHORITATIVE = _extended_error(ExtendedError.NOT_AUTHORITATIVE)
NOT_SUPPORTED = _extended_error(ExtendedError.NOT_SUPPORTED)
STALE_ANSWER = _extended_error(ExtendedError.STALE_ANSWER)

# RFC 8467 section 4.1: the recommended block.
PADDING_OCTETS = 468

# What the compiled functions look at for each query: see query.py.
_NOERROR, _FORMERR, _NOTIMP = int(Rcode.NOERROR), int(Rcode.FORMERR), int(Rcode.NOTIMP)
_BADCOOKIE = int(Rcode.BADCOOKIE)
_PADDING, _BLOCK = int(EdnsOption.PADDING), PADDING_OCTETS
# Code and length of an edns-tcp-keepalive option with a time; it counts tenths of a second (RFC 7828 section 3.1).
_KEEPALIVE_HEAD = EdnsOption.TCP_KEEPALIVE.to_bytes(2, "big") + b"\x00\x02"
_TENTHS_MAX = 65535
# Code and length of an option that holds a client and a server cookie.
_COOKIE_HEAD = EdnsOption.COOKIE.to_bytes(2, "big") + b"\x00\x18"
_CLIENT_COOKIE_OCTETS = 8
_SUBNET_CODE = EdnsOption.CLIENT_SUBNET.to_bytes(2, "big")
_OPTION_HEAD = 4  # code and length
_AUTHORITY, _AA, _COPIED, _HEADER = AUTHORITY, FLAG_AA, COPIED_FLAGS, HEADER_OCTETS
_TCP_OCTETS, _PLAIN_OCTETS = TCP_MESSAGE_OCTETS, PLAIN_UDP_OCTETS
# The rcodes of an answer that says something of a name.
_ANSWERING = (_NOERROR, int(Rcode.NXDOMAIN))
_OPT_OCTETS = 11  # of an OPT without options


class Answering:
    """One answer in the making: what it was asked with, and what has been decided so far.

    extended_error     an option that tells more of an error, or of an answer (RFC 8914); empty for none
    options            of EDNS, encoded, but for the client subnet; `options_octets` counts that too
    has_server_cookie  whether the query has a valid server cookie of ours: then its source address is not forged
    target             of the last CNAME added
    waits              whether the answer would hold up the batch that the question came in

    It may be begun anew for one packet after the other: making its five objects takes as long as a third of an answer.
    """

    __slots__ = (
        "draw",
        "extended_error",
        "flags",
        "has_server_cookie",
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
        self.extended_error = b""
        self.has_server_cookie = False
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
        self.options = b""
        self.options_octets = 0
        self.extended_error = b""
        self.has_server_cookie = False
        opt_octets = 0
        # How long the message may be: what the client takes, at most what we want to send (RFC 6891 section 6.2.3).
        limit = _PLAIN_OCTETS
        if query.has_edns:
            if query.udp_payload > limit:
                limit = query.udp_payload
                if limit > snapshot.udp_payload_octets:
                    limit = snapshot.udp_payload_octets
            opt_octets = _OPT_OCTETS
        if peer.is_tcp:
            limit = _TCP_OCTETS
        if query.has_options:
            self._begin_options(query, peer, now, snapshot, limit)
            opt_octets += self.options_octets
        self.response.begin(query.question, limit, opt_octets, query.qname_sent)
        return True

    def _begin_options(self, query: Query, peer: Peer, now: float, snapshot: Snapshot, limit: int) -> None:
        """Encode the options, but for the client subnet: that comes last, with its scope, as long as it was sent.

        All but NSID fit beside the longest question into the shortest limit; that is left out where it does not.
        """
        if query.keepalive_octets > 0 and peer.is_tcp and query.verdict == _NOERROR:
            # A client has no time to tell (RFC 7828 section 3.2.1). Over UDP the option is ignored (section 3.3.1).
            query.verdict = _FORMERR
        if query.verdict != _NOERROR and query.verdict != _NOTIMP:
            query.subnet = None
            return
        if query.cookie:
            self._begin_cookie(query, peer, now, snapshot)
        if query.keepalive_octets == 0 and peer.is_tcp:
            self.options += _KEEPALIVE_HEAD + two_octets(_idle_tenths(peer, snapshot))
        self.options_octets = len(self.options)
        if query.subnet is not None:
            self.options_octets += _OPTION_HEAD + len(query.subnet.option)
        if query.wants_nsid:
            self._begin_nsid(query, snapshot, limit)

    def _begin_nsid(self, query: Query, snapshot: Snapshot, limit: int) -> None:
        octets = self.options_octets + len(snapshot.nsid_option)
        if _HEADER + len(query.question) + _OPT_OCTETS + octets <= limit:
            self.options += snapshot.nsid_option
            self.options_octets = octets

    def _begin_cookie(self, query: Query, peer: Peer, now: float, snapshot: Snapshot) -> None:
        """Judge the cookie, and encode the one that answers it: a young valid one comes back as it is."""
        seconds = int(now)
        cookie = query.cookie
        self.has_server_cookie = is_valid(cookie, peer.address, seconds, snapshot.cookie_secrets)
        if not self.has_server_cookie and query.verdict == _NOERROR:
            query.verdict = _judge_bad_cookie(query, peer, snapshot)
        if not self.has_server_cookie or not is_young(cookie, seconds):
            cookie = make_cookie(cookie, peer.address, seconds, snapshot.cookie_secrets[0])
        self.options += _COOKIE_HEAD + cookie


def _judge_bad_cookie(query: Query, peer: Peer, snapshot: Snapshot) -> int:
    """The rcode for a query whose cookie option has no server cookie that is valid."""
    if not query.question:
        # RFC 7873 section 5.4: who asks for a cookie alone is told if the one he sent is none; who sent none is not.
        return _BADCOOKIE if len(query.cookie) > _CLIENT_COOKIE_OCTETS else _NOERROR
    # RFC 7873 section 5.2.3 and 5.2.4. A connection proves its address by itself.
    return _BADCOOKIE if snapshot.cookies_required and not peer.is_tcp else _NOERROR


def _idle_tenths(peer: Peer, snapshot: Snapshot) -> int:
    """How long the connection may be idle, in tenths of a second, as far as an option can tell."""
    seconds = snapshot.idle_seconds if peer.idle_seconds < 0 else peer.idle_seconds
    tenths = seconds * 10
    return int(tenths) if tenths < _TENTHS_MAX else _TENTHS_MAX


def refuse(answering: Answering, kind: str, rcode: int, extended_error: bytes = b"") -> None:
    """Say no, without authority; `extended_error` tells why to who speaks EDNS."""
    answering.flags = 0
    answering.extended_error = extended_error
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
    rcode = outcome.rcode
    opt = b""
    if query.has_edns:
        if rcode > 15:
            opt = encode_opt(answering.snapshot.udp_payload_octets, rcode, query.dnssec_ok, ())
        else:
            opt = answering.snapshot.opts[1 if query.dnssec_ok else 0]
        if answering.extended_error:
            _add_extended_error(answering)
        if query.wants_padding and answering.peer.is_tcp:
            _add_padding(answering)
        if answering.options_octets:
            opt = _fill_opt(answering, query, opt)
    flags = answering.flags | query.flags & _COPIED
    return answering.response.encode(query.id, flags, rcode, opt)


def truncate(answering: Answering) -> bytes:
    """The same message without its records, and TC set: ask by TCP. An error goes as it is: it has none."""
    query = answering.query
    answering.response.begin(query.question, _TCP_OCTETS, 0, query.qname_sent)
    answering.response.is_truncated = answering.outcome.rcode in _ANSWERING
    return encode_answer(answering)


def _add_extended_error(answering: Answering) -> None:
    """Add it to the options where there is room behind the records: none is left out for its sake."""
    if len(answering.extended_error) <= answering.response.room():
        answering.options += answering.extended_error
        answering.options_octets += len(answering.extended_error)
        # What is encoded again has it already.
        answering.extended_error = b""


def _add_padding(answering: Answering) -> None:
    """Pad the message to whole blocks (RFC 7830 section 3, RFC 8467 section 4.1), as far as it may grow."""
    octets = answering.response.size() + _OPT_OCTETS + answering.options_octets + _OPTION_HEAD
    padding = (_BLOCK - octets % _BLOCK) % _BLOCK
    if octets + padding <= _TCP_OCTETS:
        answering.options += encode_option(_PADDING, bytes(padding))
        answering.options_octets += _OPTION_HEAD + padding


def _fill_opt(answering: Answering, query: Query, opt: bytes) -> bytes:
    """The OPT with its options, and the scope that came out (RFC 7871 section 7.2.1)."""
    octets = opt
    head = octets[: _OPT_OCTETS - 2] + two_octets(answering.options_octets)
    if query.subnet is None:
        return head + answering.options
    return b"".join([head, answering.options, *_subnet_parts(query.subnet.option, answering.outcome.scope)])


def _subnet_parts(option: bytes, scope: int) -> list[bytes]:
    """A client subnet option as it was sent, but for its scope, which is its fourth octet."""
    octets = option
    return [_SUBNET_CODE, two_octets(len(option)), octets[:3], one_octet(scope), octets[4 : len(option)]]
