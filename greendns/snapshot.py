"""All that one answer may read, immutable: a change makes a new one, swapped in by one assignment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .access import NOBODY, Prefixes
from .codes import UDP_PAYLOAD_OCTETS, EdnsOption
from .geography import EMPTY_GEO, Geo
from .image import Image
from .response import encode_opt, encode_option
from .siphash import Secret
from .zonedb import ZoneDB

Coordinates = tuple[float, float]
# A record set, by its image and its place.
Place = tuple[Image, int]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What answers say of the server itself, and how far they go.

    identifier        told by NSID, `_status` and `_country`
    address           told by `_country` and the instance metric; may be empty
    started           seconds since 1970
    cookie_secrets    16 octets each (RFC 9018 section 4.4): the first makes server cookies, all of them verify
    cookies_required  whether a UDP query with a cookie option must have a server cookie of ours
    idle_seconds      how long a TCP connection may be idle
    any_is_minimal    whether ANY gets one record that says so (RFC 8482), not all there are
    stale_error       whether answers from a zone whose file is broken tell so
    chaos_version, chaos_identity, chaos_hostname
                      what the CHAOS names say; empty: as usual; None: nothing
    may_ask           whose queries are answered; None: everybody's
    may_debug         who may ask for debug names, besides loopback; None: everybody
    """

    identifier: str = ""
    address: str = ""
    hostname: str = ""
    version: str = ""
    started: float = 0.0
    public_debug_queries: bool = False
    udp_payload_octets: int = UDP_PAYLOAD_OCTETS
    cookie_secrets: tuple[bytes, ...] = (bytes(16),)
    cookies_required: bool = False
    idle_seconds: float = 10.0
    any_is_minimal: bool = False
    stale_error: bool = False
    chaos_version: str | None = ""
    chaos_identity: str | None = ""
    chaos_hostname: str | None = ""
    may_ask: Prefixes | None = None
    may_debug: Prefixes | None = NOBODY


class Snapshot:
    """One state of everything loaded; never changes.

    coordinates     of the records of each RRset that is answered by distance, by this snapshot's City database
    cookie_secrets  those of the options, ready to hash with
    stale_zones     numbers of the zones whose answers are to tell that their file is broken
    opts            the OPT of an answer without options, without and with DO
    """

    __slots__ = (
        "any_is_minimal",
        "cookie_secrets",
        "cookies_required",
        "coordinates",
        "geo",
        "idle_seconds",
        "may_ask",
        "nsid_option",
        "options",
        "opts",
        "stale_zones",
        "udp_payload_octets",
        "zones",
    )

    def __init__(
        self,
        zones: ZoneDB | None = None,
        geo: Geo = EMPTY_GEO,
        options: ServerOptions | None = None,
        coordinates: Mapping[Place, tuple[Coordinates | None, ...]] | None = None,
        stale_zones: frozenset[int] = frozenset(),
    ) -> None:
        self.zones = ZoneDB(()) if zones is None else zones
        self.geo = geo
        self.options = ServerOptions() if options is None else options
        self.stale_zones = stale_zones
        self.coordinates = {} if coordinates is None else coordinates
        self.udp_payload_octets = self.options.udp_payload_octets
        self.cookie_secrets = tuple([Secret(octets) for octets in self.options.cookie_secrets])
        self.nsid_option = encode_option(EdnsOption.NSID, self.options.identifier.encode())
        self.idle_seconds = self.options.idle_seconds
        self.any_is_minimal = self.options.any_is_minimal
        self.cookies_required = self.options.cookies_required
        self.may_ask = self.options.may_ask
        self.opts = tuple([encode_opt(self.udp_payload_octets, 0, dnssec_ok, ()) for dnssec_ok in (False, True)])


class Tier:
    """Some records of an RRset, and how to pick among them by weight: the first cells are that choice."""

    __slots__ = ("choice", "indexes")

    def __init__(self, indexes: tuple[int, ...], choice: Image) -> None:
        self.indexes = indexes
        self.choice = choice


class State:
    """What a worker keeps between answers: every mutable table, by name. A new snapshot or health gets a new one.

    health  state of each named check as last read: 2 is healthy (G171), a check that is missing is unknown;
            None where nobody reads any, and every record is up
    tiers   by RRset and the client's place, what distance and health have left of it; a table of fixed size
    """

    __slots__ = ("health", "tiers")

    def __init__(self, health: Mapping[str, int] | None = None) -> None:
        self.health = health
        self.tiers: dict[tuple[Image, int, Coordinates | None], list[Tier]] = {}
