"""What one zone says of one name: its records, a referral, a denial, or what the server says of itself. Pure.

Each stage is a function of its own, so that `explain` walks the same way and stops at every one.
"""

from __future__ import annotations

from . import chaos
from .answering import Answering, deny
from .client import is_usable, locate_client, locate_socket
from .codes import Rcode, RRType
from .filters import choose
from .image import Image
from .levels import EVERYBODY, IP
from .referral import refer
from .response import ANSWER
from .rrset import RRset, make_rrset
from .targeting import Location, locate, scope_prefix
from .zone import WILDCARD, Match, Zone, find_any, find_first, find_matches
from .zonedb import ZoneDB

# RFC 8482 section 4.2: a HINFO of CPU "RFC8482" and no OS. For an hour or so nobody needs to ask again.
MINIMAL_ANY = make_rrset(RRType.HINFO, 3789, (b"\x07RFC8482\x00",))

# What the compiled functions look at for each query: see query.py.
_ANY, _CNAME = int(RRType.ANY), int(RRType.CNAME)
_SOA, _NS = int(RRType.SOA), int(RRType.NS)
_NOERROR, _NXDOMAIN = int(Rcode.NOERROR), int(Rcode.NXDOMAIN)
_ANSWER = ANSWER
_IP = IP
_NO_PREFIXES = (0, 0)
_UNDERSCORE = ord("_")


def find_name(zone: Zone, relative: bytes, zones: ZoneDB) -> tuple[int, bytes]:
    """The name that answers for `relative`, itself or the wildcard that covers it, and where that stands; 0 if none.

    A wildcard does not reach below a name that exists only through another zone of ours (RFC 4592 section 3.3.1).
    """
    name = zone.find(relative)
    if name:
        return name, relative
    name, stands_at = zone.find_wildcard(relative)
    if name and zones.has_between(relative + zone.origin, stands_at[len(WILDCARD) :] + zone.origin):
        return 0, b""
    return name, stands_at


def name_matches(zone: Zone, relative: bytes, name: int, qtype: int, targets: tuple[bytes, ...]) -> list[list[Match]]:
    """What may answer, per RRset of the answer and best first: one list, or for ANY one for each type."""
    if qtype == _ANY:
        return find_any(zone.image, name, targets)
    matches = find_matches(zone.image, name, qtype, targets)
    if not matches and _is_always_there(zone, relative, qtype):
        return [find_matches(zone.image, name, qtype, (EVERYBODY,))]
    return [matches]


def _is_always_there(zone: Zone, relative: bytes, qtype: int) -> bool:
    """Whether an unmatched client gets it too: without `@` in targeting it sees nothing (G102), but a zone is its SOA
    and NS."""
    return not relative and qtype in (_SOA, _NS) and not zone.hides_apex()


def answer_name(answering: Answering, zone: Zone, owner: bytes, relative: bytes) -> bytes | None:
    """Add what one zone says of one name; returns the target of a CNAME that wants to be followed."""
    query = answering.query
    location = locate_client(query, answering.peer, zone, answering.snapshot, answering.location)
    answering.outcome.targets = answering.outcome.targets or location.targets
    cut = zone.find_cut(relative, query.qtype)
    if cut is not None:
        refer(answering, zone, cut, locate_socket(answering.peer, zone, answering.snapshot))
        return None
    name = zone.find(relative)
    stands_at = relative
    if not name:
        if _answer_unwritten(answering, zone, owner, relative, location):
            return None
        name, stands_at = find_name(zone, relative, answering.snapshot.zones)
    if not name:
        deny(answering, zone, "nxdomain", _NXDOMAIN)
        return None
    _widen_scope(answering, zone.image, name, location)
    if answering.outcome.owner is None and zone is answering.outcome.zone:
        answering.outcome.owner = stands_at
    return _answer_from(answering, zone, owner, relative, name, location)


def _answer_unwritten(answering: Answering, zone: Zone, owner: bytes, relative: bytes, location: Location) -> bool:
    """Answer a name that exists though it is no label of its zone: a debug name, or one above another zone of ours."""
    if relative[1] == _UNDERSCORE and _answer_debug(answering, zone, owner, relative, location):
        return True
    if (relative + zone.origin) not in answering.snapshot.zones.ancestors:
        return False
    deny(answering, zone, "nodata", _NOERROR)
    return True


def _answer_from(
    answering: Answering, zone: Zone, owner: bytes, relative: bytes, name: int, location: Location
) -> bytes | None:
    """Add the records that stand at a name; returns the target of a CNAME that wants to be followed."""
    qtype = answering.query.qtype
    if qtype == _ANY:
        per_type = find_any(zone.image, name, location.targets)
        if per_type and answering.snapshot.any_is_minimal and not _is_cname(per_type):
            _add_minimal(answering, owner)
            return None
        added = [_add_first(answering, owner, matches, location) for matches in per_type]
        rrset = next(filter(None, added), None)
    else:
        rrset = _add_best(answering, zone, owner, relative, name, location)
    if rrset is None:
        _deny_name(answering, zone, name, location)
    elif rrset.rrtype == _CNAME and qtype != _CNAME and qtype != _ANY:
        return answering.target
    return None


def _is_cname(per_type: list[list[Match]]) -> bool:
    """Whether a name is a CNAME, which then stands alone."""
    return any(matches[0].rrset.rrtype == _CNAME for matches in per_type)


def _add_minimal(answering: Answering, owner: bytes) -> None:
    """Add the one record that stands for all that there are (RFC 8482 section 4.2)."""
    if not answering.response.add(ANSWER, owner, MINIMAL_ANY, (0,)):
        answering.response.is_truncated = True


def _deny_name(answering: Answering, zone: Zone, name: int, location: Location) -> None:
    """No records: either of this type, or this client sees no such name (G115, G116)."""
    if zone.image.exists_for(name, location.targets):
        deny(answering, zone, "nodata", _NOERROR)
    else:
        deny(answering, zone, "nxdomain", _NXDOMAIN)


def _add_best(
    answering: Answering, zone: Zone, owner: bytes, relative: bytes, name: int, location: Location
) -> RRset | None:
    """Add what answers best; the other matches are looked for only where nothing is left of the first."""
    qtype = answering.query.qtype
    match = answering.match
    if not find_first(zone.image, name, qtype, location.targets, match):
        if not _is_always_there(zone, relative, qtype):
            return None
    elif _add_match(answering, owner, match, location):
        return match.rrset
    return _add_first(answering, owner, name_matches(zone, relative, name, qtype, location.targets)[0], location)


def _add_first(answering: Answering, owner: bytes, matches: list[Match], location: Location) -> RRset | None:
    """Add the first match of which records are left; returns its RRset, None if there is none (G112)."""
    for match in matches:
        if _add_match(answering, owner, match, location):
            return match.rrset
    return None


def _add_match(answering: Answering, owner: bytes, match: Match, location: Location) -> bool:
    """Add the records that are chosen of a match; False if none is left."""
    response = answering.response
    rrset = match.rrset
    room = response.room()
    room = room // rrset.smallest_octets + 1 if room > 0 else 1
    indexes = choose(match, location, answering.snapshot, answering.state, answering.draw, room)
    if not indexes:
        return False
    answering.outcome.image = match.image
    answering.outcome.label = match.label
    # Over TCP there is no longer message to ask for: of a pick, as many as fit.
    partly = answering.peer.is_tcp and rrset.choice != 0
    if not response.add(_ANSWER, owner, rrset, indexes, partly):
        response.is_truncated = True
    if rrset.rrtype == _CNAME:
        answering.target = rrset.rdata(indexes[0])
    return True


def _widen_scope(answering: Answering, image: Image, name: int, location: Location) -> None:
    levels = image.levels(name)
    scope = scope_prefix(location, levels, image.address_prefixes(name) if levels & _IP else _NO_PREFIXES)
    if scope > answering.outcome.scope:
        answering.outcome.scope = scope


def _answer_debug(answering: Answering, zone: Zone, owner: bytes, relative: bytes, location: Location) -> bool:
    """Answer `_status`, `_health` and `_country` where the zone has no such label; False if it is none of these."""
    query = answering.query
    options = answering.snapshot.options
    if not chaos.is_debug_name(relative) or not chaos.is_permitted(relative, answering.peer.address, options):
        return False
    if answering.peer.is_batched:
        answering.waits = True
        return True
    if query.qtype not in (RRType.TXT, RRType.ANY):
        deny(answering, zone, "debug", _NOERROR)
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


def _country(answering: Answering, zone: Zone, location: Location) -> RRset:
    """What `_country` tells: of the subnet, if there is one that can tell, even if it tells nothing (G101)."""
    subnet = answering.query.subnet
    address, from_subnet = location.address, location.from_subnet
    if subnet is not None and is_usable(subnet):
        address, from_subnet = subnet.address, True
        # It names the address itself: it is no answer for any other.
        answering.outcome.scope = subnet.source_prefix
    location = locate(address, from_subnet, zone.levels, zone.wants_place(), answering.snapshot.geo)
    return chaos.country_rrset(str(answering.peer), location, zone.wants_place(), answering.snapshot.options)
