"""query -> zone -> client -> records -> response: the one function that answers a packet, and its stages.

Pure: no I/O, no clock, no logging, no gevent. What was loaded comes in as a Snapshot, time and chance as arguments.
Each stage is a function of its own, so that `explain` walks the same way and stops at every one.
"""

from __future__ import annotations

from . import chaos
from .codes import (
    ADDRESS_TYPES,
    PLAIN_UDP_OCTETS,
    TCP_MESSAGE_OCTETS,
    UDP_PAYLOAD_OCTETS,
    EdnsOption,
    Rcode,
    RRClass,
    RRType,
)
from .cookies import answer_cookie
from .filters import choose
from .name import is_subdomain
from .outcome import Outcome, Peer, Reply
from .picker import Draw
from .query import ClientSubnet, Query, parse
from .response import ADDITIONAL, ANSWER, AUTHORITY, COPIED_FLAGS, FLAG_AA, FLAG_QR, Response, encode_opt
from .rrset import RRset
from .snapshot import Snapshot, State
from .targeting import EVERYBODY, GEOGRAPHIC, Location, is_locatable, locate, scope_prefix
from .zone import WILDCARD, Match, Name, Zone, find_any, find_matches
from .zonedb import ZoneDB

# CNAMEs followed within our zones; a longer chain is a mistake, and resolvers give up at 8 to 16 themselves.
CHAIN_LIMIT = 8
_TRANSFERS = (RRType.AXFR, RRType.IXFR)
_ALWAYS_AT_APEX = (RRType.SOA, RRType.NS)


class _Answering:
    """One answer in the making: what it was asked with, and what has been decided so far."""

    __slots__ = ("draw", "flags", "now", "outcome", "peer", "query", "response", "snapshot", "state", "target")

    def __init__(
        self, query: Query, peer: Peer, now: float, snapshot: Snapshot, state: State, draw: Draw, response: Response
    ) -> None:
        self.query = query
        self.peer = peer
        self.now = now
        self.snapshot = snapshot
        self.state = state
        self.draw = draw
        self.response = response
        self.outcome = Outcome("answer", Rcode.NOERROR, query.qtype)
        self.flags = FLAG_AA
        self.target = b""  # of the last CNAME added


def answer(wire: bytes, peer: Peer, now: float, snapshot: Snapshot, state: State, draw: Draw) -> Reply:
    """Answer one packet.

    now    seconds since 1970
    draw   draw(n) returns a uniform integer in 0 <= x < n
    Returns the bytes to send, None where silence is the answer, and what became of the packet.
    """
    query = parse(wire)
    if query is None:
        return None, Outcome("dropped", Rcode.NOERROR)
    options = _answer_options(query, peer, now, snapshot)
    response = Response(query.question, _limit_octets(query, peer, snapshot), _opt_octets(query, options))
    answering = _Answering(query, peer, now, snapshot, state, draw, response)
    if query.verdict != Rcode.NOERROR:
        _refuse(answering, "error", query.verdict)
    elif query.question:
        _answer_question(answering)
    else:
        # A cookie alone was asked for (RFC 7873 section 5.4), and nobody is an authority for no name.
        answering.flags = 0
    return _encode(answering, options), answering.outcome


def servfail(wire: bytes) -> bytes | None:
    """The answer to a packet that we failed on: the header and, where it can be read, the question."""
    query = parse(wire)
    if query is None:
        return None
    flags = FLAG_QR | query.flags & COPIED_FLAGS
    opt = encode_opt(UDP_PAYLOAD_OCTETS, Rcode.SERVFAIL, query.dnssec_ok, ()) if query.has_edns else b""
    return Response(query.question, TCP_MESSAGE_OCTETS, 0).encode(query.id, flags, Rcode.SERVFAIL, opt)


# -- the frame of an answer


def _limit_octets(query: Query, peer: Peer, snapshot: Snapshot) -> int:
    """How long the message may be: what the client takes, at most what we want to send (RFC 6891 section 6.2.3)."""
    if peer.is_tcp:
        return TCP_MESSAGE_OCTETS
    if not query.has_edns:
        return PLAIN_UDP_OCTETS
    return min(max(query.udp_payload, PLAIN_UDP_OCTETS), snapshot.options.udp_payload_octets)


def _answer_options(query: Query, peer: Peer, now: float, snapshot: Snapshot) -> list[tuple[int, bytes]]:
    """The EDNS options of the answer; the client subnet comes last, its scope still as sent."""
    options: list[tuple[int, bytes]] = []
    if query.verdict not in (Rcode.NOERROR, Rcode.NOTIMP):
        return options
    if query.wants_nsid:
        options.append((EdnsOption.NSID, snapshot.options.identifier.encode()))
    if query.cookie:
        cookie = answer_cookie(query.cookie, peer.address, int(now), snapshot.options.cookie_secret)
        options.append((EdnsOption.COOKIE, cookie))
    if query.subnet is not None:
        options.append((EdnsOption.CLIENT_SUBNET, query.subnet.option))
    return options


def _opt_octets(query: Query, options: list[tuple[int, bytes]]) -> int:
    return 11 + sum(4 + len(option) for _, option in options) if query.has_edns else 0


def _encode(answering: _Answering, options: list[tuple[int, bytes]]) -> bytes:
    query = answering.query
    outcome = answering.outcome
    outcome.is_truncated = answering.response.is_truncated
    opt = b""
    if query.has_edns:
        if query.subnet is not None and options:
            sent = query.subnet.option
            options[-1] = (EdnsOption.CLIENT_SUBNET, sent[:3] + bytes((outcome.scope,)) + sent[4:])
        udp_payload = answering.snapshot.options.udp_payload_octets
        opt = encode_opt(udp_payload, outcome.rcode, query.dnssec_ok, options)
    flags = answering.flags | query.flags & COPIED_FLAGS
    return answering.response.encode(query.id, flags, outcome.rcode, opt)


def _refuse(answering: _Answering, kind: str, rcode: int) -> None:
    """Say no, without authority."""
    answering.flags = 0
    answering.outcome.kind = kind
    answering.outcome.rcode = rcode


# -- which zone, which client


def _answer_question(answering: _Answering) -> None:
    query = answering.query
    if query.qclass == RRClass.CH:
        _answer_chaos(answering)
        return
    if query.qclass != RRClass.IN or query.qtype in _TRANSFERS:
        _refuse(answering, "refused", Rcode.REFUSED)
        return
    zone = answering.snapshot.zones.match(query.qname, query.qtype)
    if zone is None:
        _refuse(answering, "refused", Rcode.REFUSED)
        return
    answering.outcome.zone = zone
    _follow_chain(answering, zone)


def _answer_chaos(answering: _Answering) -> None:
    """version.bind and its like (RFC 4892); nothing else is known in class CH."""
    rrset = chaos.chaos_rrset(answering.query.qname, answering.snapshot.options)
    if rrset is None:
        _refuse(answering, "refused", Rcode.REFUSED)
        return
    answering.outcome.kind = "chaos"
    if answering.query.qtype in (RRType.TXT, RRType.ANY):
        answering.response.add(ANSWER, answering.query.qname_sent, rrset, (0,))


def locate_client(query: Query, peer: Peer, zone: Zone, snapshot: Snapshot) -> Location:
    """Where the client is, for one zone: by its subnet if that can tell, else by the socket (G101, G200).

    In a zone that targets nobody in particular the subnet's location still counts for closest.
    """
    subnet = query.subnet
    if subnet is not None and is_usable(subnet):
        location = locate(subnet.address, True, zone.levels, zone.wants_coordinates, snapshot.geo)
        if location.targets not in ((), (EVERYBODY,)) or not zone.levels & GEOGRAPHIC:
            return location
    return _locate_socket(peer, zone, snapshot)


def is_usable(subnet: ClientSubnet) -> bool:
    """Whether a client subnet has an address that may decide (G200)."""
    return subnet.family != 0 and is_locatable(subnet.address)


def _locate_socket(peer: Peer, zone: Zone, snapshot: Snapshot) -> Location:
    return locate(peer.address, False, zone.levels, zone.wants_coordinates, snapshot.geo)


def _follow_chain(answering: _Answering, zone: Zone) -> None:
    """Answer the question, and go on at each CNAME's target as long as it is ours; the last name's rcode counts
    (RFC 6604 section 3)."""
    query = answering.query
    owner = query.qname_sent
    qname = query.qname
    followed: list[bytes] = []
    while True:
        target = _answer_name(answering, zone, owner, qname[: len(qname) - len(zone.origin)])
        if target is None or len(followed) == CHAIN_LIMIT or answering.response.is_truncated:
            return
        followed.append(qname)
        owner = target
        qname = target.lower()
        next_zone = answering.snapshot.zones.match(qname, query.qtype)
        if next_zone is None or qname in followed:
            return
        zone = next_zone


# -- one name


def find_name(zone: Zone, relative: bytes, zones: ZoneDB) -> tuple[Name | None, bytes]:
    """The name that answers for `relative`, itself or the wildcard that covers it, and where that stands.

    A wildcard does not reach below a name that exists only through another zone of ours (RFC 4592 section 3.3.1).
    """
    name = zone.names.get(relative)
    if name is not None:
        return name, relative
    name, stands_at = zone.find_wildcard(relative)
    if name is not None and zones.has_between(relative + zone.origin, stands_at[len(WILDCARD) :] + zone.origin):
        return None, b""
    return name, stands_at


def name_matches(zone: Zone, relative: bytes, name: Name, qtype: int, targets: tuple[bytes, ...]) -> list[list[Match]]:
    """What may answer, per RRset of the answer and best first: one list, or for ANY one for each type."""
    if qtype == RRType.ANY:
        return find_any(name, targets)
    matches = find_matches(name, qtype, targets)
    if not matches and not relative and qtype in _ALWAYS_AT_APEX and not zone.hides_apex():
        # Without `@` in targeting an unmatched client sees nothing (G102); but a zone is its SOA and NS.
        return [find_matches(name, qtype, (EVERYBODY,))]
    return [matches]


def _answer_name(answering: _Answering, zone: Zone, owner: bytes, relative: bytes) -> bytes | None:
    """Add what one zone says of one name; returns the target of a CNAME that wants to be followed."""
    query = answering.query
    location = locate_client(query, answering.peer, zone, answering.snapshot)
    answering.outcome.targets = answering.outcome.targets or location.targets
    cut = zone.find_cut(relative, query.qtype)
    if cut is not None:
        _refer(answering, zone, cut)
        return None
    if relative not in zone.names and _answer_unwritten(answering, zone, owner, relative, location):
        return None
    name, stands_at = find_name(zone, relative, answering.snapshot.zones)
    if name is None:
        _deny(answering, zone, "nxdomain", Rcode.NXDOMAIN)
        return None
    _widen_scope(answering, name, location)
    if answering.outcome.owner is None and zone is answering.outcome.zone:
        answering.outcome.owner = stands_at
    return _answer_from(answering, zone, owner, relative, name, location)


def _answer_unwritten(answering: _Answering, zone: Zone, owner: bytes, relative: bytes, location: Location) -> bool:
    """Answer a name that exists though it is no label of its zone: a debug name, or one above another zone of ours."""
    if _answer_debug(answering, zone, owner, relative, location):
        return True
    if (relative + zone.origin) not in answering.snapshot.zones.ancestors:
        return False
    _deny(answering, zone, "nodata", Rcode.NOERROR)
    return True


def _answer_from(
    answering: _Answering, zone: Zone, owner: bytes, relative: bytes, name: Name, location: Location
) -> bytes | None:
    """Add the records that stand at a name; returns the target of a CNAME that wants to be followed."""
    query = answering.query
    chosen = False
    for matches in name_matches(zone, relative, name, query.qtype, location.targets):
        rrset = _add_first(answering, owner, matches, location)
        chosen = chosen or rrset is not None
        if rrset is not None and rrset.rrtype == RRType.CNAME and query.qtype not in (RRType.CNAME, RRType.ANY):
            return answering.target
    if not chosen and name.exists_for(location.targets):
        _deny(answering, zone, "nodata", Rcode.NOERROR)
    elif not chosen:
        _deny(answering, zone, "nxdomain", Rcode.NXDOMAIN)
    return None


def _add_first(answering: _Answering, owner: bytes, matches: list[Match], location: Location) -> RRset | None:
    """Add the first match of which records are left; returns its RRset, None if there is none (G112)."""
    response = answering.response
    for match in matches:
        room = max(response.room(), 0) // match.rrset.smallest_octets + 1
        indexes = choose(match, location, answering.snapshot, answering.state, answering.draw, room)
        if indexes:
            answering.outcome.label = match.label.text
            # Over TCP there is no longer message to ask for: of a pick, as many as fit.
            partly = answering.peer.is_tcp and match.rrset.choice is not None
            if not response.add(ANSWER, owner, match.rrset, indexes, partly):
                response.is_truncated = True
            answering.target = match.rrset.rdatas[indexes[0]]
            return match.rrset
    return None


def _widen_scope(answering: _Answering, name: Name, location: Location) -> None:
    scope = scope_prefix(location, name.levels, name.address_prefixes)
    answering.outcome.scope = max(answering.outcome.scope, scope)


def _deny(answering: _Answering, zone: Zone, kind: str, rcode: int) -> None:
    """A negative answer: the SOA in the authority section (RFC 2308 section 3)."""
    answering.outcome.kind = kind
    answering.outcome.rcode = rcode
    if not answering.response.add(AUTHORITY, zone.origin, zone.soa, (0,)):
        answering.response.is_truncated = True


def _answer_debug(answering: _Answering, zone: Zone, owner: bytes, relative: bytes, location: Location) -> bool:
    """Answer `_status`, `_health` and `_country` where the zone has no such label; False if it is none of these."""
    query = answering.query
    options = answering.snapshot.options
    if not chaos.is_debug_name(relative) or not chaos.is_permitted(relative, answering.peer.address, options):
        return False
    if query.qtype not in (RRType.TXT, RRType.ANY):
        _deny(answering, zone, "debug", Rcode.NOERROR)
        return True
    answering.outcome.kind = "debug"
    if chaos.first_label(relative) == chaos.COUNTRY:
        rrset = _country(answering, zone, location)
    else:
        rrset = chaos.server_rrset(relative, options, answering.now)
        owner = owner.lower()
    if not answering.response.add(ANSWER, owner, rrset, (0,)):
        answering.response.is_truncated = True
    return True


def _country(answering: _Answering, zone: Zone, location: Location) -> RRset:
    """What `_country` tells: of the subnet, if there is one that can tell, even if it tells nothing (G101)."""
    subnet = answering.query.subnet
    if subnet is not None and is_usable(subnet):
        location = locate(subnet.address, True, zone.levels, zone.wants_coordinates, answering.snapshot.geo)
        # It names the address itself: it is no answer for any other.
        answering.outcome.scope = subnet.source_prefix
    return chaos.country_rrset(str(answering.peer), location, zone.wants_place(), answering.snapshot.options)


# -- delegations


def _refer(answering: _Answering, zone: Zone, cut: bytes) -> None:
    """A referral (RFC 1034 section 4.3.2 step 3b): the cut's NS without authority, and glue.

    It is the resolver that goes there, so its own address decides, and the scope is 0 (RFC 7871 section 7.4).
    """
    response = answering.response
    if not response.counts[ANSWER]:
        # After a CNAME of ours AA stays: it speaks of the first owner (RFC 1035 section 4.1.1).
        answering.flags = 0
    answering.outcome.kind = "referral"
    name = zone.names[cut]
    location = _locate_socket(answering.peer, zone, answering.snapshot)
    # Without `@` in targeting too a delegation has servers and addresses for everybody, or nobody could follow it.
    targets = (*location.targets, EVERYBODY)
    servers = name.first_rrset(RRType.NS, targets)
    assert servers is not None, "a cut is a plain label with NS"
    if not response.add(AUTHORITY, cut + zone.origin, servers, range(len(servers))):
        response.is_truncated = True
        return
    for server in servers.rdatas:
        _add_glue(answering, zone, cut, server, targets)


def _add_glue(answering: _Answering, zone: Zone, cut: bytes, server: bytes, targets: tuple[bytes, ...]) -> None:
    """The addresses of a name server that this zone has; those below the cut must fit (RFC 9471 section 3)."""
    lowered = server.lower()
    if not is_subdomain(lowered, zone.origin):
        return
    name = zone.names.get(lowered[: len(lowered) - len(zone.origin)])
    if name is None:
        return
    for rrtype in ADDRESS_TYPES:
        glue = name.first_rrset(rrtype, targets)
        if glue is None:
            continue
        fits = answering.response.add(ADDITIONAL, server, glue, range(len(glue)))
        if not fits and is_subdomain(lowered, cut + zone.origin):
            answering.response.is_truncated = True
