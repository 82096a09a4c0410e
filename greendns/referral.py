"""Delegations: the name servers of a cut, and their addresses. Pure."""

from __future__ import annotations

from .answering import Answering
from .codes import ADDRESS_TYPES, RRType
from .levels import EVERYBODY
from .name import is_subdomain
from .response import ADDITIONAL, ANSWER, AUTHORITY
from .targeting import Location
from .zone import Zone, first_rrset

_NS = int(RRType.NS)


def refer(answering: Answering, zone: Zone, cut: bytes, location: Location) -> None:
    """A referral (RFC 1034 section 4.3.2 step 3b): the cut's NS without authority, and glue.

    location  of the resolver's own socket: it is the one that goes there, and the scope is 0 (RFC 7871 section 7.4)
    """
    response = answering.response
    if not response.counts[ANSWER]:
        # After a CNAME of ours AA stays: it speaks of the first owner (RFC 1035 section 4.1.1).
        answering.flags = 0
    answering.outcome.kind = "referral"
    name = zone.find(cut)
    # Without `@` in targeting too a delegation has servers and addresses for everybody, or nobody could follow it.
    targets = (*location.targets, EVERYBODY)
    servers = first_rrset(zone.image, name, _NS, targets)
    assert servers is not None, "a cut is a plain label with NS"
    if not response.add(AUTHORITY, cut + zone.origin, servers, range(len(servers))):
        response.is_truncated = True
        return
    for server in servers.rdatas:
        _add_glue(answering, zone, cut, server, targets)


def _add_glue(answering: Answering, zone: Zone, cut: bytes, server: bytes, targets: tuple[bytes, ...]) -> None:
    """The addresses of a name server that this zone has; those below the cut must fit (RFC 9471 section 3)."""
    lowered = server.lower()
    if not is_subdomain(lowered, zone.origin):
        return
    name = zone.find(lowered[: len(lowered) - len(zone.origin)])
    if not name:
        return
    for rrtype in ADDRESS_TYPES:
        glue = first_rrset(zone.image, name, rrtype, targets)
        if glue is None:
            continue
        fits = answering.response.add(ADDITIONAL, server, glue, range(len(glue)))
        if not fits and is_subdomain(lowered, cut + zone.origin):
            answering.response.is_truncated = True
