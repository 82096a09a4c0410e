"""All that one answer may read, immutable: a change makes a new one, swapped in by one assignment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .codes import UDP_PAYLOAD_OCTETS
from .geography import EMPTY_GEO, Geo
from .picker import WeightedChoice
from .rrset import RRset
from .zonedb import ZoneDB

Coordinates = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What answers say of the server itself, and how far they go.

    identifier      told by NSID, `_status` and `_country`
    address         told by `_country` and the instance metric; may be empty
    started         seconds since 1970
    cookie_secret   16 octets (RFC 9018 section 4.4)
    """

    identifier: str = ""
    address: str = ""
    hostname: str = ""
    version: str = ""
    started: float = 0.0
    public_debug_queries: bool = False
    udp_payload_octets: int = UDP_PAYLOAD_OCTETS
    cookie_secret: bytes = bytes(16)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of everything loaded.

    coordinates  of the records of each RRset that is answered by distance, by this snapshot's City database
    """

    zones: ZoneDB = field(default_factory=lambda: ZoneDB(()))
    geo: Geo = EMPTY_GEO
    options: ServerOptions = field(default_factory=ServerOptions)
    coordinates: Mapping[RRset, tuple[Coordinates | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tier:
    """Some records of an RRset, and how to pick among them by weight."""

    indexes: tuple[int, ...]
    choice: WeightedChoice


@dataclass(slots=True)
class State:
    """What a worker keeps between answers: every mutable table, by name. A new snapshot or health gets a new one.

    health  state of each named check as last read: 2 is healthy (G171), a check that is missing is unknown;
            None where nobody reads any, and every record is up
    tiers   by RRset and the client's place, what distance and health have left of it; a table of fixed size
    """

    tiers: dict[tuple[RRset, Coordinates | None], list[Tier]] = field(default_factory=dict)
    health: Mapping[str, int] | None = None
