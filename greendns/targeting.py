"""Where a client is, in the zone's words: location + targeting -> ordered targets and the prefix they hold for.

Pure. Targets are the lower-cased bytes that follow a label's last dot in a zone file: b"us", b"europe", b"us-ca",
b"as64500", b"[192.0.2.0]"; b"@" is everybody.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

from .errors import ValueProblem
from .found import shown
from .geography import Geo
from .levels import ASN, CLOSEST, CONTINENT, COUNTRY, IP, LEVELS, REGION, REGION_GROUP
from .place import CONTINENT_OF, NOWHERE, REGION_GROUP_OF, Place

# What a compiled function looks at for each query has a name of this module's own.
_IP, _ASN = IP, ASN
_OF_ADDRESS = IP | ASN
# These are answered by the City database alone (G098).
_OF_CITY = REGION | REGION_GROUP
_OF_PLACE = REGION | REGION_GROUP | COUNTRY | CONTINENT | CLOSEST

# By the first octet of an IPv4 address: 1 where all addresses may decide, as nearly all may.
_IS_GLOBAL = bytes([first not in (0, 10, 127, 169, 172, 192, 255) and not 224 <= first <= 239 for first in range(256)])

_CONTINENTS = frozenset(CONTINENT_OF.values())
_REGION_GROUPS = frozenset(REGION_GROUP_OF.values())
_REGION_WORD = re.compile(r"([a-z]{2})-[a-z0-9]{1,3}")
_ASN_WORD = re.compile(r"as(0|[1-9][0-9]{0,9})")


def parse_targeting(text: str) -> int:
    """Read the words of a zone's `targeting`, parted by single spaces (G045); returns levels as bits.

    >>> parse_targeting("@ country") == ANYONE | COUNTRY
    True
    """
    levels = 0
    for token in text.split(" "):
        if token not in LEVELS:
            known = " ".join(LEVELS)
            raise ValueProblem(f"targeting must be words of «{known}» parted by single spaces", shown(text))
        levels |= LEVELS[token]
    return levels


def level_of_target(target: str, levels: int) -> int:
    """Which of `levels` can produce this target; 0 if none can, or if it is not a target at all.

    >>> level_of_target("dk", COUNTRY) == COUNTRY
    True
    >>> level_of_target("www", COUNTRY)
    0
    """
    if target in CONTINENT_OF:
        level = COUNTRY
    elif target in _CONTINENTS:
        level = CONTINENT
    elif target in _REGION_GROUPS:
        level = REGION_GROUP
    elif target.startswith("["):
        level = IP if _is_address_target(target) else 0
    elif _ASN_WORD.fullmatch(target):
        level = ASN
    else:
        region = _REGION_WORD.fullmatch(target)
        level = REGION if region and region[1] in CONTINENT_OF else 0
    return level & levels


def _is_address_target(target: str) -> bool:
    """Whether it is an address as a target writes it, which is the only text form that can match (RFC 5952)."""
    canonical = _canonical(target[1:-1])
    return canonical != "" and target == f"[{canonical}]"


def _canonical(text: str) -> str:
    try:
        return str(IPv6Address(text)) if ":" in text else str(IPv4Address(text))
    except ValueError:
        return ""


def address_target_prefix(target: str) -> int:
    """How many bits of an address decide whether it has this address target: a network's, or all (G091).

    >>> [address_target_prefix(target) for target in ("[192.0.2.0]", "[192.0.2.1]", "[2001:db8::]")]
    [24, 32, 48]
    """
    packed = IPv6Address(target[1:-1]).packed if ":" in target else IPv4Address(target[1:-1]).packed
    if len(packed) == 4:
        return 32 if packed[3] else 24
    return 128 if any(packed[6:]) else 48


class Location:
    """What is known of the client for one zone.

    address      4 or 16 octets: of the client subnet, or of the socket
    place        what the database that answers for this zone says; `place_prefix` is its match in bits
    targets      nearest first
    from_subnet  whether the client subnet's address decided
    has_place    whether there was a database to ask
    """

    __slots__ = ("address", "asn_prefix", "from_subnet", "has_place", "place", "place_prefix", "targets")

    def __init__(self, address: bytes, from_subnet: bool) -> None:
        self.begin(address, from_subnet)

    def begin(self, address: bytes, from_subnet: bool) -> None:
        """Be that of another address, of which nothing is known yet."""
        self.address = address
        self.from_subnet = from_subnet
        self.place: Place = NOWHERE
        self.place_prefix = 0
        self.asn_prefix = 0
        self.has_place = False
        self.targets: tuple[bytes, ...] = ()


def locate(address: bytes, from_subnet: bool, levels: int, wants_coordinates: bool, geo: Geo) -> Location:
    """Look an address up for a zone that targets `levels`; `wants_coordinates` where any label has closest: otherwise
    the place has none."""
    location = Location(address, from_subnet)
    look_up(location, levels, wants_coordinates, geo)
    return location


def look_up(location: Location, levels: int, wants_coordinates: bool, geo: Geo) -> None:
    """Fill in what is known of a location's address: see `locate`."""
    if wants_coordinates or levels & _OF_PLACE:
        database = geo.by_city if wants_coordinates or levels & _OF_CITY else geo.by_country
        if database is not None:
            found = database.find(location.address) if wants_coordinates else database.find_words(location.address)
            location.place, location.place_prefix = found
            location.has_place = True
    targets = location.place.targets(levels)
    location.targets = (*_near_targets(location, levels, geo), *targets) if levels & _OF_ADDRESS else targets


def _near_targets(location: Location, levels: int, geo: Geo) -> list[bytes]:
    """The targets that are nearer than any place: addresses, then the AS (G090)."""
    targets = address_targets(location.address) if levels & _IP else []
    if levels & _ASN and geo.asn is not None:
        network, location.asn_prefix = geo.asn.find_words(location.address)
        targets.append(b"as%d" % (network.asn or 0))
    return targets


def address_text(address: bytes) -> str:
    """4 or 16 octets as text (RFC 5952)."""
    return str(IPv4Address(address) if len(address) == 4 else IPv6Address(address))


def address_targets(address: bytes) -> list[bytes]:
    """The address itself and its network: /24 if it differs, or always /48 (G091)."""
    network = address[:3] + b"\x00" if len(address) == 4 else address[:6] + bytes(10)
    targets = [b"[%s]" % address_text(address).encode()]
    if len(address) == 16 or network != address:
        targets.append(b"[%s]" % address_text(network).encode())
    return targets


def is_locatable(address: bytes) -> bool:
    """Whether a client subnet's address may decide: global unicast and not private (G200).

    The documentation networks count as global unicast here, as in geodns.
    """
    if len(address) == 4:
        return _IS_GLOBAL[address[0]] == 1 or _is_locatable_v4(address)
    if not any(address[:15]):
        return address[15] > 1  # neither :: nor ::1
    is_link_local = address[0] == 0xFE and address[1] & 0xC0 == 0x80
    return not (address[0] == 0xFF or address[0] & 0xFE == 0xFC or is_link_local)


def _is_locatable_v4(address: bytes) -> bool:
    """The same for an IPv4 address of which the first octet alone does not tell."""
    first, second = address[0], address[1]
    return not (
        address == b"\x00\x00\x00\x00"
        or address == b"\xff\xff\xff\xff"
        or first in (10, 127)
        or 224 <= first <= 239
        or (first == 172 and 16 <= second <= 31)
        or (first == 192 and second == 168)
        or (first == 169 and second == 254)
    )


def scope_prefix(location: Location, levels: int, address_prefixes: tuple[int, int]) -> int:
    """The scope of an answer that depends on `levels`: the longest prefix that they needed (RFC 7871 section 7.2.1).

    levels             of the name that was asked for, CLOSEST included
    address_prefixes   bits that its address variants look at, in IPv4 and in IPv6
    Returns 0 where the client subnet decided nothing.
    """
    if not location.from_subnet:
        return 0
    scope = 0
    if levels & _IP:
        scope = address_prefixes[1 if len(location.address) == 16 else 0]
    if levels & _ASN and location.asn_prefix > scope:
        scope = location.asn_prefix
    if levels & _OF_PLACE and location.place_prefix > scope:
        scope = location.place_prefix
    return scope
