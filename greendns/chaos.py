"""What the server says of itself: the debug names of geodns (G180-G182) and the CHAOS names (RFC 4892). Pure.

Each is made when asked for: these answers need not be fast.
"""

from __future__ import annotations

import json

from .charstring import encode_strings
from .codes import RRClass, RRType
from .rrset import RRset, make_rrset
from .snapshot import ServerOptions
from .targeting import Location, address_text

# CHAOS names (RFC 4892 section 2; version.server and id.server: the names without BIND's).
_VERSION_NAMES = (b"\x07version\x04bind\x00", b"\x07version\x06server\x00")
_IDENTITY_NAME = b"\x02id\x06server\x00"
_HOSTNAME_NAME = b"\x08hostname\x04bind\x00"

_DEBUG_TTL = 1  # G180, G182

STATUS = b"\x07_status"
HEALTH = b"\x07_health"
COUNTRY = b"\x08_country"


def first_label(relative: bytes) -> bytes:
    """The first label of a relative name, with its length octet."""
    return relative[: 1 + relative[0]] if relative else b""


def is_debug_name(relative: bytes) -> bool:
    """Whether the name asks the server about itself, at any depth of a zone."""
    return first_label(relative) in (STATUS, HEALTH, COUNTRY)


def is_permitted(relative: bytes, peer_address: bytes, options: ServerOptions) -> bool:
    """`_country` is for everybody; the others for loopback and whom the operator lets (G180-G183)."""
    if first_label(relative) == COUNTRY or options.public_debug_queries or options.may_debug is None:
        return True
    return _is_loopback(peer_address) or options.may_debug.has(peer_address)


def _is_loopback(peer_address: bytes) -> bool:
    return peer_address[:1] == b"\x7f" if len(peer_address) == 4 else peer_address == bytes(15) + b"\x01"


def text_rrset(strings: list[str], ttl: int, rrclass: int = RRClass.IN) -> RRset:
    """One TXT record of several strings."""
    rdata = encode_strings([string.encode() for string in strings])
    return make_rrset(RRType.TXT, ttl, (rdata,), rrclass=rrclass)


def status_rrset(options: ServerOptions, now: float) -> RRset:
    """`_status`: JSON with its keys sorted and the seconds since the start as a string (G180)."""
    status = {
        "h": options.hostname,
        "id": options.identifier,
        "up": str(int(now - options.started)),
        "v": options.version,
    }
    return text_rrset([json.dumps(status, sort_keys=True, separators=(",", ":"))], _DEBUG_TTL)


def server_rrset(relative: bytes, options: ServerOptions, now: float) -> RRset:
    """`_status`, or `_health`: an empty object, as geodns answers it (G181)."""
    if first_label(relative) == STATUS:
        return status_rrset(options, now)
    return text_rrset(["{}"], _DEBUG_TTL)


def country_rrset(peer: str, location: Location, wants_place: bool, options: ServerOptions) -> RRset:
    """`_country`: what the server knows of the client (G182).

    peer         "address:port" of the socket
    wants_place  whether the zone looks at coordinates or regions; elsewhere geodns tells no location
    """
    coordinates = "()"
    if wants_place and location.has_place:
        latitude, longitude = location.place.coordinates or (0.0, 0.0)  # G100: not in the database
        coordinates = f"({latitude:.3f},{longitude:.3f})"
    strings = [
        peer,
        address_text(location.address),
        b" ".join(location.targets).decode(),
        "/0",  # G103: geodns never tells the netmask
        options.identifier,
        options.address,
        coordinates,
    ]
    return text_rrset(strings, _DEBUG_TTL)


def chaos_rrset(qname: bytes, options: ServerOptions) -> RRset | None:
    """The TXT of a CHAOS name; None for any other name, and for one that is switched off."""
    text = _chaos_text(qname, options)
    return None if text is None else text_rrset([text], 0, RRClass.CH)


def _chaos_text(qname: bytes, options: ServerOptions) -> str | None:
    identity = options.identifier or options.hostname
    if qname in _VERSION_NAMES:
        return options.chaos_version if options.chaos_version != "" else f"GreenDNS {options.version}"
    if qname == _IDENTITY_NAME:
        return options.chaos_identity if options.chaos_identity != "" else identity
    if qname == _HOSTNAME_NAME:
        return options.chaos_hostname if options.chaos_hostname != "" else identity
    return None
